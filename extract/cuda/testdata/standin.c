// A stand-in for libcuda.so.1 and libcudnn.so.9, for tests: the entry points that the
// engine uses, computed plainly on the CPU. What is queued on a stream runs as late
// as it may, when somebody waits for it, so that a missing event or memory given back
// too early shows. Every handle, address and descriptor is checked; what a real
// library might let pass is misuse here.
//
//	cc -O3 -march=native -shared -fPIC -I.. -o libstandin.so standin.c -lpthread
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

// --- what a test may set and ask ---

static long set_gpus = 1, set_memory = 1L << 34, set_version = 92600, set_cudart = 13020, set_dry, set_placebug, set_taken, set_wrong = -1;
static char fail_name[64];
static long fail_after, fail_status, fail_times, fail_gpu = -1;
static char misuse[512];
static long math_seen, data_seen, fused_seen, plain_seen, batch_seen, refused_seen, used_seen;

static void wrong(const char *what) {
    if (!misuse[0]) snprintf(misuse, sizeof misuse, "%s", what);
}

static long *knob(const char *name) {
    struct { const char *name; long *at; } all[] = {
        {"gpus", &set_gpus}, {"memory", &set_memory}, {"version", &set_version}, {"cudart", &set_cudart}, {"dry", &set_dry}, {"placebug", &set_placebug}, {"taken", &set_taken}, {"wrong", &set_wrong}, {"failtimes", &fail_times}, {"failgpu", &fail_gpu},
        {"math", &math_seen}, {"data", &data_seen}, {"fused", &fused_seen}, {"plain", &plain_seen}, {"batch", &batch_seen}, {"refused", &refused_seen}, {"used", &used_seen},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (!strcmp(all[i].name, name)) return all[i].at;
    return NULL;
}

// Programs that are run beside it, and cannot call it, say in the environment how much memory
// there is, how many GPUs, and what fails: STANDIN_FAIL=function:n:status:times:gpu.
__attribute__((constructor)) static void from_environment(void) {
    if (getenv("STANDIN_MEMORY")) set_memory = atol(getenv("STANDIN_MEMORY"));
    if (getenv("STANDIN_GPUS")) set_gpus = atol(getenv("STANDIN_GPUS"));
    if (getenv("STANDIN_FAIL")) sscanf(getenv("STANDIN_FAIL"), "%63[^:]:%ld:%ld:%ld:%ld", fail_name, &fail_after, &fail_status, &fail_times, &fail_gpu);
}

void standin_set(const char *name, long value) { *knob(name) = value; }
long standin_get(const char *name) { return *knob(name); }

// standin_misuse tells the first misuse since it was last asked.
const char *standin_misuse(void) {
    static char told[sizeof misuse];
    memcpy(told, misuse, sizeof told);
    misuse[0] = 0;
    return told;
}

// standin_fail lets a function fail with a status at its n-th call from now, and at all later ones,
// or only as often as "failtimes" says; "failgpu" lets it fail on one GPU alone.
void standin_fail(const char *name, long n, long status) {
    snprintf(fail_name, sizeof fail_name, "%s", name);
    fail_after = n;
    fail_status = status;
}

static int on_gpu(long ordinal);

static int fails(const char *name) {
    if (strcmp(name, fail_name) || (fail_gpu >= 0 && !on_gpu(fail_gpu)) || --fail_after > 0) return 0;
    if (fail_times && --fail_times == 0) fail_name[0] = 0;
    return 1;
}

// FAIL is the way into every function: it takes the lock, and may return what a test wants.
#define FAIL                                          \
    pthread_mutex_lock(&lock);                        \
    if (fails(__func__)) return done((int)fail_status);

static int done(int status) {
    pthread_mutex_unlock(&lock);
    return status;
}

// --- handles and memory ---

enum kind { CONTEXT = 1, STREAM, EVENT, MODULE, HANDLE, TENSOR, FILTER, CONV, ACT, POOL, DEVICE_MEMORY, HOST_MEMORY, KINDS };

typedef struct object {
    enum kind kind;
    struct object *next;
    size_t size; // of memory
    char *memory;
    int dims[8], type; // of descriptors
    struct object *stream;
    struct op *first, *last; // of a stream, or of a context's default stream
    long used;               // bytes of memory, of a context
    long recorded, reached;  // of an event: how often
} object;

static object *objects;

static object *make(enum kind kind, size_t size) {
    object *o = calloc(1, sizeof *o);
    o->kind = kind;
    o->size = size;
    if (size) {
        // A block of its own with odd content: nobody may count on zeros.
        o->memory = malloc(size);
        memset(o->memory, 0x5a, size);
    }
    o->next = objects;
    return objects = o;
}

static object *live(void *h, enum kind kind) {
    for (object *o = objects; o; o = o->next)
        if (o == h && o->kind == kind) return o;
    char text[100];
    snprintf(text, sizeof text, "a handle of kind %d that is not alive", kind);
    wrong(text);
    return NULL;
}

static int destroy(void *h, enum kind kind) {
    for (object **o = &objects; *o; o = &(*o)->next)
        if ((void *)*o == h && (*o)->kind == kind) {
            object *dead = *o;
            if (dead->first) wrong("a stream is destroyed with work on it");
            *o = dead->next;
            free(dead->memory);
            free(dead);
            return 0;
        }
    wrong("a handle is destroyed twice, or was never made");
    return 1;
}

static object *owner(const void *p, size_t size, enum kind kind) {
    for (object *o = objects; o; o = o->next)
        if (o->kind == kind && o->memory && (char *)p >= o->memory && (char *)p + size <= o->memory + o->size) return o;
    return NULL;
}

static int inside(const void *p, size_t size, enum kind kind) {
    if (owner(p, size, kind)) return 1;
    wrong(kind == DEVICE_MEMORY ? "an address that is not the device's, or too little room there" : "an address that is not pinned memory, or too little room there");
    return 0;
}

long standin_live(void) {
    long n = 0;
    for (object *o = objects; o; o = o->next) n++;
    return n;
}

// --- streams: queues of work that runs when it is waited for ---

typedef struct { int n, c, h, w, type; } tensor;

typedef struct op {
    struct op *next;
    void (*run)(struct op *);
    object *event;
    long turn; // of the event
    void *to;
    const void *from;
    size_t bytes;
    int grid[3], block[3];
    void *args[3];
    void *kernel;
    tensor x, y, f;
    int pad, stride, algo, relu, mode, window, wrong;
    float alpha2;
    const void *px, *pw, *pz, *pbias;
    void *py;
} op;

static op *queue(object *stream, void (*run)(op *)) {
    op *o = calloc(1, sizeof *o);
    o->run = run;
    if (stream->last) stream->last->next = o;
    else stream->first = o;
    stream->last = o;
    return o;
}

static void step(object *stream) {
    op *o = stream->first;
    stream->first = o->next;
    if (!stream->first) stream->last = NULL;
    o->run(o);
    free(o);
}

static void reach(object *event, long turn) {
    while (event->reached < turn) {
        if (!event->stream || !event->stream->first) {
            wrong("an event that nothing will reach");
            return;
        }
        step(event->stream);
    }
}

static void run_record(op *o) { o->event->reached = o->turn; }
static void run_wait(op *o) { reach(o->event, o->turn); }
static void run_staged(op *o) {
    memcpy(o->to, o->from, o->bytes);
    free((void *)o->from);
}
static void run_copy(op *o) { memcpy(o->to, o->from, o->bytes); }

// --- libcuda ---

static __thread object *current;
static object *contexts[8];
static int retained[8], started;

static int on_gpu(long ordinal) { return current && current == contexts[ordinal]; }

static int usable(void) {
    if (!current) wrong("a call on a thread without a context");
    return current != NULL;
}

int cuInit(unsigned flags) { FAIL started = 1; return done(flags ? 1 : set_gpus ? 0 : 100); }
int cuDriverGetVersion(int *v) { FAIL *v = 13020; return done(0); }
int cuGetErrorName(int r, const char **s) { *s = r == 2 ? "CUDA_ERROR_OUT_OF_MEMORY" : r == 100 ? "CUDA_ERROR_NO_DEVICE" : r == 719 ? "CUDA_ERROR_LAUNCH_FAILED" : NULL; return *s ? 0 : 1; }
int cuGetErrorString(int r, const char **s) { *s = r == 2 ? "out of memory" : r == 100 ? "no CUDA-capable device is detected" : r == 719 ? "unspecified launch failure" : NULL; return *s ? 0 : 1; }
int cuDeviceGetCount(int *n) { FAIL *n = (int)set_gpus; return done(started ? 0 : 3); }
int cuDeviceGet(int *d, int ordinal) { FAIL *d = ordinal + 40; return done(ordinal < set_gpus ? 0 : 101); }
int cuDeviceGetName(char *name, int len, int d) { FAIL snprintf(name, len, "Stand-in %d", (d - 40) / 2); return done(0); }
int cuDeviceGetAttribute(int *v, int a, int d) { FAIL *v = a == 75 ? 9 : a == 76 ? 0 : -1; return done(d >= 40 ? 0 : 101); }
int cuDeviceTotalMem_v2(size_t *bytes, int d) { FAIL *bytes = set_memory; return done(d >= 40 ? 0 : 101); }

int cuDevicePrimaryCtxRetain(void **c, int d) {
    FAIL
    if (!retained[d - 40]++) contexts[d - 40] = make(CONTEXT, 0);
    *c = contexts[d - 40];
    return done(0);
}

int cuDevicePrimaryCtxRelease_v2(int d) {
    FAIL
    if (--retained[d - 40] == 0) return done(destroy(contexts[d - 40], CONTEXT));
    return done(0);
}

int cuCtxSetCurrent(void *c) { FAIL current = live(c, CONTEXT); return done(current ? 0 : 201); }
int cuMemGetInfo_v2(size_t *f, size_t *t) { FAIL *f = set_memory - current->used; *t = set_memory; return done(usable() ? 0 : 201); }

int cuMemAlloc_v2(void **p, size_t bytes) {
    FAIL
    if (!usable()) return done(201);
    if (bytes == 0) return done(1);
    if (current->used + set_taken + (long)bytes > set_memory) {
        refused_seen++;
        return done(2);
    }
    used_seen = current->used += bytes;
    *p = make(DEVICE_MEMORY, bytes)->memory;
    return done(0);
}

int cuMemFree_v2(void *p) {
    FAIL
    object *o = owner(p, 0, DEVICE_MEMORY);
    if (o && o->memory == p && usable()) {
        while (current->first) step(current); // it waits for what is under way
        current->used -= o->size;
    }
    return done(destroy(o && o->memory == p ? o : NULL, DEVICE_MEMORY));
}

int cuMemHostAlloc(void **p, size_t bytes, unsigned flags) { FAIL *p = make(HOST_MEMORY, bytes)->memory; return done(usable() && !flags ? 0 : 1); }

int cuMemFreeHost(void *p) {
    FAIL
    object *o = owner(p, 0, HOST_MEMORY);
    return done(destroy(o && o->memory == p ? o : NULL, HOST_MEMORY));
}

int cuMemcpyHtoD_v2(void *to, const void *from, size_t bytes) {
    FAIL
    if (!usable() || !inside(to, bytes, DEVICE_MEMORY)) return done(700);
    // What is not pinned is copied to a buffer of the driver's, and from there while the
    // caller goes on: only the default stream, or who waits for it, sees it done.
    op *o = queue(current, run_staged);
    o->to = to, o->bytes = bytes;
    o->from = memcpy(malloc(bytes), from, bytes);
    return done(0);
}

int cuMemcpyHtoDAsync_v2(void *to, const void *from, size_t bytes, void *s) {
    FAIL
    if (!usable() || !live(s, STREAM) || !inside(to, bytes, DEVICE_MEMORY) || !inside(from, bytes, HOST_MEMORY)) return done(700);
    op *o = queue(s, run_copy);
    o->to = to, o->from = from, o->bytes = bytes;
    return done(0);
}

int cuMemcpyDtoHAsync_v2(void *to, const void *from, size_t bytes, void *s) {
    FAIL
    if (!usable() || !live(s, STREAM) || !inside(to, bytes, HOST_MEMORY) || !inside(from, bytes, DEVICE_MEMORY)) return done(700);
    op *o = queue(s, run_copy);
    o->to = to, o->from = from, o->bytes = bytes;
    return done(0);
}

int cuStreamCreate(void **s, unsigned flags) { FAIL *s = make(STREAM, 0); return done(usable() && flags == 1 ? 0 : 1); }
int cuStreamDestroy_v2(void *s) { FAIL return done(destroy(s, STREAM)); }

static void run_nothing(op *o) { (void)o; }

int cuStreamSynchronize(void *s) {
    pthread_mutex_lock(&lock);
    object *o = s ? live(s, STREAM) : current;
    if (fails(__func__)) { // a device that is lost forgets its work
        for (op *w = o->first; w; w = w->next) w->run = run_nothing;
        while (o->first) step(o);
        return done((int)fail_status);
    }
    while (o && o->first) step(o);
    return done(o && usable() ? 0 : 400);
}

int cuEventCreate(void **e, unsigned flags) { FAIL *e = make(EVENT, 0); return done(usable() && flags == 3 ? 0 : 1); }
int cuEventDestroy_v2(void *e) { FAIL return done(destroy(e, EVENT)); }

int cuEventRecord(void *e, void *s) {
    FAIL
    object *event = live(e, EVENT);
    if (!usable() || !event || !live(s, STREAM)) return done(400);
    event->stream = s;
    op *o = queue(s, run_record);
    o->event = event, o->turn = ++event->recorded;
    return done(0);
}

int cuStreamWaitEvent(void *s, void *e, unsigned flags) {
    FAIL
    object *event = live(e, EVENT);
    if (!usable() || !event || !live(s, STREAM) || flags) return done(400);
    op *o = queue(s, run_wait);
    o->event = event, o->turn = event->recorded;
    return done(0);
}

int cuEventSynchronize(void *e) {
    FAIL
    object *event = live(e, EVENT);
    if (event) reach(event, event->recorded);
    return done(event && usable() ? 0 : 400);
}

// The kernels are the engine's own source, as C.
typedef struct { unsigned x, y, z; } dim3;
static dim3 blockIdx, blockDim, threadIdx;
#define KERNEL static void
#include "pixels.cu"

static void run_kernel(op *o) {
    blockDim.x = o->block[0];
    for (blockIdx.z = 0; blockIdx.z < (unsigned)o->grid[2]; blockIdx.z++)
        for (blockIdx.y = 0; blockIdx.y < (unsigned)o->grid[1]; blockIdx.y++)
            for (blockIdx.x = 0; blockIdx.x < (unsigned)o->grid[0]; blockIdx.x++)
                for (threadIdx.x = 0; threadIdx.x < blockDim.x; threadIdx.x++)
                    if (o->kernel == blocks32) blocks32(o->args[0], o->args[1], o->args[2]);
                    else blocks16(o->args[0], o->args[1], o->args[2]);
}

int cuModuleLoadData(void **m, const char *image) {
    FAIL
    *m = make(MODULE, 0);
    return done(usable() && strstr(image, ".entry blocks32(") && strstr(image, ".entry blocks16(") ? 0 : 218);
}

int cuModuleUnload(void *m) { FAIL return done(destroy(m, MODULE)); }

int cuModuleGetFunction(void **f, void *m, const char *name) {
    FAIL
    *f = !strcmp(name, "blocks32") ? (void *)blocks32 : !strcmp(name, "blocks16") ? (void *)blocks16 : NULL;
    return done(live(m, MODULE) && *f ? 0 : 500);
}

int cuLaunchKernel(void *f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared, void *s, void **params, void **extra) {
    FAIL
    if (!usable() || !live(s, STREAM) || shared || extra || by != 1 || bz != 1 || bx > 1024) return done(1);
    size_t channels = f == (void *)blocks16 ? 16 : 12, bytes = f == (void *)blocks16 ? 2 : 4;
    if (gx * bx < 115 * channels || gy != 115) wrong("the grid does not cover the blocks");
    op *o = queue(s, run_kernel);
    o->kernel = f;
    int grid[3] = {gx, gy, gz}, block[3] = {bx, by, bz};
    memcpy(o->grid, grid, sizeof grid);
    memcpy(o->block, block, sizeof block);
    for (int i = 0; i < 3; i++) o->args[i] = *(void **)params[i];
    inside(o->args[0], (size_t)gz * 224 * 224 * 3, DEVICE_MEMORY);
    inside(o->args[1], (size_t)gz * 115 * 115 * channels * bytes, DEVICE_MEMORY);
    inside(o->args[2], 3 * 256 * bytes, DEVICE_MEMORY);
    return done(0);
}

// --- libcudnn ---

static char last_error[256];

static int say(int status, const char *text) {
    snprintf(last_error, sizeof last_error, "%s", text);
    return done(status);
}

size_t cudnnGetVersion(void) { return set_version; }
size_t cudnnGetCudartVersion(void) { return set_cudart; }
const char *cudnnGetErrorString(int s) { return s == 3000 ? "CUDNN_STATUS_NOT_SUPPORTED" : s == 4004 ? "CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED" : s == 5000 ? "CUDNN_STATUS_EXECUTION_FAILED" : "CUDNN_STATUS_BAD_PARAM"; }
void cudnnGetLastErrorString(char *text, size_t size) {
    snprintf(text, size, "%s", last_error);
    last_error[0] = 0;
}
int cudnnCreate(void **h) { FAIL *h = make(HANDLE, 0); return done(usable() ? 0 : 1001); }
int cudnnDestroy(void *h) { FAIL return done(destroy(h, HANDLE)); }

int cudnnSetStream(void *h, void *s) {
    FAIL
    object *o = live(h, HANDLE);
    if (o) o->stream = live(s, STREAM);
    return done(o && o->stream ? 0 : 2000);
}

#define DESCRIPTOR(NAME, KIND)                                                        \
    int cudnnCreate##NAME##Descriptor(void **d) { FAIL *d = make(KIND, 0); return done(0); } \
    int cudnnDestroy##NAME##Descriptor(void *d) { FAIL return done(destroy(d, KIND)); }
DESCRIPTOR(Tensor, TENSOR)
DESCRIPTOR(Filter, FILTER)
DESCRIPTOR(Convolution, CONV)
DESCRIPTOR(Activation, ACT)
DESCRIPTOR(Pooling, POOL)

static int put(void *d, enum kind kind, int type, int a0, int a1, int a2, int a3, int a4, int a5, int a6) {
    object *o = live(d, kind);
    if (!o) return done(2000);
    int dims[8] = {a0, a1, a2, a3, a4, a5, a6};
    memcpy(o->dims, dims, sizeof dims);
    o->type = type;
    return done(0);
}

int cudnnSetTensor4dDescriptor(void *d, int format, int type, int n, int c, int h, int w) {
    FAIL
    if (format != 1 || (type != 0 && type != 2)) return say(2000, "tensor: format or type");
    data_seen |= 1 << type;
    return put(d, TENSOR, type, n, c, h, w, 0, 0, 0);
}

int cudnnSetFilter4dDescriptor(void *d, int type, int format, int k, int c, int h, int w) {
    FAIL
    if (format != 1 || (type != 0 && type != 2)) return say(2000, "filter: format or type");
    return put(d, FILTER, type, k, c, h, w, 0, 0, 0);
}

int cudnnSetConvolution2dDescriptor(void *d, int ph, int pw, int sh, int sw, int dh, int dw, int mode, int compute) {
    FAIL
    if (ph != pw || sh != sw || dh != 1 || dw != 1 || mode != 1 || compute != 0) return say(2000, "convolution descriptor");
    return put(d, CONV, compute, ph, sh, -1, 0, 0, 0, 0);
}

int cudnnSetConvolutionMathType(void *d, int math) {
    FAIL
    object *o = live(d, CONV);
    if (!o || math < 0 || math > 3) return done(2000);
    o->dims[2] = math;
    math_seen |= 1 << math;
    return done(0);
}

int cudnnSetActivationDescriptor(void *d, int mode, int nan, double coef) {
    FAIL
    if (mode != 1 || nan != 0 || coef != 0) return say(2000, "activation");
    return put(d, ACT, 0, mode, 0, 0, 0, 0, 0, 0);
}

int cudnnSetPooling2dDescriptor(void *d, int mode, int nan, int wh, int ww, int ph, int pw, int sh, int sw) {
    FAIL
    if (mode < 0 || mode > 1 || nan != 0 || wh != ww || ph != pw || sh != sw) return say(2000, "pooling descriptor");
    return put(d, POOL, 0, mode, wh, ph, sh, 0, 0, 0);
}

static tensor as_tensor(void *d, enum kind kind) {
    object *o = live(d, kind);
    tensor t = {0};
    if (o) t = (tensor){o->dims[0], o->dims[1], o->dims[2], o->dims[3], o->type};
    return t;
}

static size_t bytes_of(tensor t) { return (size_t)t.n * t.c * t.h * t.w * (t.type == 2 ? 2 : 4); }

// workspace is what an algorithm wants; 6 wants much.
static size_t workspace(int algo, tensor x) { return algo == 0 ? 0 : algo == 6 ? bytes_of(x) * 4 : 4096; }

typedef struct { int algo, status; float time; size_t memory; int determinism, math, reserved[3]; } perf;

int cudnnGetConvolutionForwardAlgorithm_v7(void *h, void *x, void *w, void *c, void *y, int room, int *found, perf *p) {
    FAIL
    live(h, HANDLE), live(x, TENSOR), live(w, FILTER), live(c, CONV), live(y, TENSOR);
    if (room != 8) return done(2000);
    perf all[] = {{6, 0, -1, 1, 1, 1, {0}}, {1, 0, -1, 1, 1, 1, {0}}, {1, 0, -1, 1, 1, 0, {0}}, {0, 0, -1, 0, 1, 0, {0}}, {5, 3000, -1, 0, 1, 0, {0}}, {7, 0, -1, 0, 0, 0, {0}}};
    memcpy(p, all, sizeof all);
    *found = sizeof all / sizeof *all;
    return done(0);
}

int cudnnGetConvolutionForwardWorkspaceSize(void *h, void *x, void *w, void *c, void *y, int algo, size_t *bytes) {
    FAIL
    live(h, HANDLE), live(w, FILTER), live(c, CONV), live(y, TENSOR);
    if (algo != 0 && algo != 1 && algo != 6) return say(3000, "an algorithm that was not offered");
    *bytes = workspace(algo, as_tensor(x, TENSOR));
    return done(0);
}

// load gives n values as floats.
static float *load(const void *p, size_t n, int type) {
    float *f = malloc(n * sizeof *f);
    if (type == 0) memcpy(f, p, n * sizeof *f);
    else for (size_t i = 0; i < n; i++) f[i] = ((const _Float16 *)p)[i];
    return f;
}

static void store(void *p, size_t i, float v, int type) {
    if (type == 0) ((float *)p)[i] = v;
    else ((_Float16 *)p)[i] = (_Float16)v;
}

static float value(const void *p, size_t i, int type) { return type == 0 ? ((const float *)p)[i] : (float)((const _Float16 *)p)[i]; }

// Twelve sums of LANES values fit into the registers that there are.
#ifdef __AVX512F__
enum { LANES = 16 };
#else
enum { LANES = 8 };
#endif
typedef float vec __attribute__((vector_size(4 * LANES), aligned(4)));
enum { PIXELS = 6, WIDTH = 2 * LANES };

// bordered is an image as floats within a border of zeros; pixels beyond the row's end may be read.
static float *bordered(const op *o, int image) {
    tensor x = o->x;
    int side = x.h + 2 * o->pad;
    float *b = calloc((size_t)side * side * x.c + (size_t)PIXELS * o->stride * x.c, sizeof *b);
    size_t row = (size_t)x.w * x.c;
    for (int y = 0; y < x.h; y++) {
        float *to = b + ((size_t)(y + o->pad) * side + o->pad) * x.c;
        for (size_t i = 0; i < row; i++) to[i] = value(o->px, ((size_t)image * x.h + y) * row + i, x.type);
    }
    return b;
}

// turned is the filters as tap × in × out.
static float *turned(const op *o) {
    tensor f = o->f; // n is out
    size_t n = (size_t)f.c * f.h * f.w;
    float *w = load(o->pw, f.n * n, f.type), *t = malloc(f.n * n * sizeof *t);
    for (int k = 0; k < f.n; k++)
        for (size_t i = 0; i < n; i++) t[i * f.n + k] = w[k * n + i];
    free(w);
    return t;
}

// rehearse takes the place of a convolution where the numbers do not matter: zeros, or, if
// dry is 2, one that depends on all of an image's input.
static void rehearse(op *o) {
    memset(o->py, o->wrong ? 0x11 : 0, bytes_of(o->y));
    if (set_dry < 2) return;
    for (int n = 0; n < o->x.n; n++) {
        size_t in = bytes_of(o->x) / o->x.n, out = bytes_of(o->y) / o->y.n, values = out / (o->y.type == 2 ? 2 : 4);
        uint64_t sum = 1;
        for (size_t i = 0; i < in; i += 8) {
            uint64_t word;
            memcpy(&word, (const char *)o->px + n * in + i, 8);
            sum = (sum ^ word) * 0x9e3779b97f4a7c15;
        }
        for (size_t i = 0; i < values; i++) store(o->py, n * values + i, (float)(sum >> 44) / (1 << 20), o->y.type);
    }
}

static void run_conv(op *o) {
    tensor x = o->x, y = o->y, f = o->f;
    if (set_dry) {
        rehearse(o);
        return;
    }
    float *w = turned(o);
    int side = x.w + 2 * o->pad;
    for (int image = 0; image < y.n; image++) {
        float *b = bordered(o, image);
        for (int row = 0; row < y.h; row++)
            for (int col = 0; col < y.w; col += PIXELS)
                for (int k = 0; k < f.n; k += WIDTH) {
                    vec sum[PIXELS][2] = {0};
                    for (int tap = 0; tap < f.h * f.w; tap++) {
                        const float *in = b + ((size_t)(row * o->stride + tap / f.w) * side + col * o->stride + tap % f.w) * x.c;
                        const float *wt = w + (size_t)tap * f.c * f.n + k;
                        for (int c = 0; c < f.c; c++, wt += f.n)
                            for (int i = 0; i < PIXELS; i++) {
                                float v = in[(size_t)i * o->stride * x.c + c];
                                sum[i][0] += v * *(const vec *)wt;
                                sum[i][1] += v * *(const vec *)(wt + LANES);
                            }
                    }
                    for (int i = 0; i < PIXELS && col + i < y.w; i++)
                        for (int j = 0; j < WIDTH; j++) {
                            size_t at = (((size_t)image * y.h + row) * y.w + col + i) * f.n + k + j;
                            float v = sum[i][j / LANES][j % LANES];
                            if (o->pbias) v += value(o->pbias, k + j, f.type);
                            if (o->alpha2 != 0) v += o->alpha2 * value(o->pz, at, y.type);
                            if (o->relu && v < 0) v = 0;
                            if (set_placebug && o->algo != 1) v *= 1 + image * 1e-3f;
                            store(o->py, at, v, y.type);
                        }
                }
        free(b);
    }
    free(w);
}

// convolution checks and queues; bias is NULL for the plain one.
static int convolution(object *h, const float *alpha1, void *xd, const void *x, void *wd, const void *w, object *c, int algo, void *space, size_t room,
                       const float *alpha2, void *zd, const void *z, void *bd, const void *bias, void *act, void *yd, void *y) {
    if (!live(h, HANDLE) || !usable() || !live(h->stream, STREAM) || !live(c, CONV)) return done(2000);
    op o = {.x = as_tensor(xd, TENSOR), .y = as_tensor(yd, TENSOR), .f = as_tensor(wd, FILTER), .algo = algo, .relu = act != NULL,
            .pad = c->dims[0], .stride = c->dims[1], .px = x, .pw = w, .pz = z, .pbias = bias, .py = y};
    tensor X = o.x, Y = o.y, F = o.f;
    if (*alpha1 != 1 || c->dims[2] < 0) return say(2000, "alpha or math type");
    if (X.c != F.c || Y.c != F.n || X.n != Y.n || X.type != Y.type || X.type != F.type || F.n % WIDTH) return say(2000, "channels, batch or types");
    if ((X.h + 2 * o.pad - F.h) / o.stride + 1 != Y.h || (X.w + 2 * o.pad - F.w) / o.stride + 1 != Y.w) return say(2000, "output size");
    if (algo == 6 && (o.stride != 1 || F.h != 3)) return say(3000, "Winograd takes 3x3 filters with stride 1");
    if (room < workspace(algo, X) || (workspace(algo, X) && !inside(space, room, DEVICE_MEMORY))) return say(2000, "workspace");
    int ok = inside(x, bytes_of(X), DEVICE_MEMORY) && inside(y, bytes_of(Y), DEVICE_MEMORY) && inside(w, bytes_of(F), DEVICE_MEMORY);
    if ((char *)x < (char *)y + bytes_of(Y) && (char *)y < (char *)x + bytes_of(X)) wrong("x and y overlap");
    if (bias) {
        tensor B = as_tensor(bd, TENSOR), Z = as_tensor(zd, TENSOR);
        if (B.n != 1 || B.c != F.n || B.h != 1 || B.w != 1 || B.type != X.type || memcmp(&Z, &Y, sizeof Z)) return say(2000, "bias or z");
        ok = ok && live(act, ACT) && inside(bias, bytes_of(B), DEVICE_MEMORY) && inside(z, bytes_of(Z), DEVICE_MEMORY);
        o.alpha2 = *alpha2;
    }
    if (!ok) return say(2000, "an address");
    batch_seen = Y.n;
    o.wrong = set_wrong >= 0 && on_gpu(set_wrong);
    op *q = queue(h->stream, run_conv);
    o.run = run_conv;
    *q = o;
    return done(0);
}

int cudnnConvolutionForward(void *h, const float *alpha, void *xd, const void *x, void *wd, const void *w, void *c, int algo, void *space, size_t room,
                            const float *beta, void *yd, void *y) {
    FAIL
    plain_seen++;
    if (*beta != 0) return say(2000, "beta");
    return convolution(h, alpha, xd, x, wd, w, c, algo, space, room, NULL, NULL, NULL, NULL, NULL, NULL, yd, y);
}

int cudnnConvolutionBiasActivationForward(void *h, const float *alpha1, void *xd, const void *x, void *wd, const void *w, void *c, int algo, void *space, size_t room,
                                          const float *alpha2, void *zd, const void *z, void *bd, const void *bias, void *act, void *yd, void *y) {
    pthread_mutex_lock(&lock);
    if (fails(__func__)) return say((int)fail_status, "the stand-in was asked to fail");
    fused_seen++;
    if (!bias || !act) return say(2000, "bias or activation");
    return convolution(h, alpha1, xd, x, wd, w, c, algo, space, room, alpha2, zd, z, bd, bias, act, yd, y);
}

static void run_pool(op *o) {
    tensor x = o->x, y = o->y;
    for (int n = 0; n < y.n; n++)
        for (int row = 0; row < y.h; row++)
            for (int col = 0; col < y.w; col++)
                for (int c = 0; c < y.c; c++) {
                    float most = -1e30f, sum = 0;
                    for (int i = 0; i < o->window * o->window; i++) {
                        int r = row * o->stride - o->pad + i / o->window, k = col * o->stride - o->pad + i % o->window;
                        if (r < 0 || k < 0 || r >= x.h || k >= x.w) continue;
                        float v = value(o->px, (((size_t)n * x.h + r) * x.w + k) * x.c + c, x.type);
                        most = v > most ? v : most;
                        sum += v;
                    }
                    store(o->py, (((size_t)n * y.h + row) * y.w + col) * y.c + c, o->mode == 0 ? most : sum / (o->window * o->window), y.type);
                }
}

int cudnnPoolingForward(object *h, object *d, const float *alpha, void *xd, const void *x, const float *beta, void *yd, void *y) {
    FAIL
    if (!live(h, HANDLE) || !usable() || !live(h->stream, STREAM) || !live(d, POOL) || *alpha != 1 || *beta != 0) return say(2000, "pooling");
    tensor X = as_tensor(xd, TENSOR), Y = as_tensor(yd, TENSOR);
    int window = d->dims[1], pad = d->dims[2], stride = d->dims[3];
    if (X.n != Y.n || X.c != Y.c || X.type != Y.type || (X.h + 2 * pad - window) / stride + 1 != Y.h) return say(2000, "pooling shapes");
    if (!inside(x, bytes_of(X), DEVICE_MEMORY) || !inside(y, bytes_of(Y), DEVICE_MEMORY)) return say(2000, "an address");
    op *o = queue(h->stream, run_pool);
    o->x = X, o->y = Y, o->px = x, o->py = y, o->mode = d->dims[0], o->window = window, o->pad = pad, o->stride = stride;
    return done(0);
}
