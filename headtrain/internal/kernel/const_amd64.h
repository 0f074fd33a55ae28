// Constants of exp32, as bits. The names are those of generic.go.
#define LOG2E     $0x3fb8aa3b
#define SHIFT     $0x4b400000
#define LN2HIGH   $0x3f318000
#define LN2LOW    $0xb95e8083
#define CUTOFF    $0xc2ae0000
#define ONE       $0x3f800000
#define HALF      $0x3f000000
#define FACT3     $0x3e2aaaab
#define FACT4     $0x3d2aaaab
#define FACT5     $0x3c088889
#define FACT6     $0x3ab60b61
#define FACT7     $0x39500d01
