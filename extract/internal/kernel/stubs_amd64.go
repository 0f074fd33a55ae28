//go:build !purego

package kernel

//go:generate go -C _gen run .

// The loops are those of generic.go: gemmPortable, inputPortable of the scheme that has
// as many points, outputPortable likewise (Add: with residual).

//go:noescape
func gemmAVX2(a *gemmArgs)

//go:noescape
func gemmAVX512(a *gemmArgs)

//go:noescape
func gemmHalfAVX2(a *gemmArgs)

//go:noescape
func gemmHalfAVX512(a *gemmArgs)

//go:noescape
func gemmBF16AVX512(a *gemmArgs)

//go:noescape
func inputF4AVX2(a *inputArgs)

//go:noescape
func inputF4AVX512(a *inputArgs)

//go:noescape
func inputF6AVX2(a *inputArgs)

//go:noescape
func inputF6AVX512(a *inputArgs)

//go:noescape
func inputF7AVX2(a *inputArgs)

//go:noescape
func inputF7AVX512(a *inputArgs)

//go:noescape
func inputF9AVX2(a *inputArgs)

//go:noescape
func inputF9AVX512(a *inputArgs)

//go:noescape
func inputF5S2AVX2(a *inputArgs)

//go:noescape
func inputF5S2AVX512(a *inputArgs)

//go:noescape
func inputF1S2AVX2(a *inputArgs)

//go:noescape
func inputF1S2AVX512(a *inputArgs)

//go:noescape
func inputF4BF16AVX512(a *inputArgs)

//go:noescape
func inputF1S2BF16AVX512(a *inputArgs)

//go:noescape
func inputF6PBF16AVX512(a *inputArgs)

//go:noescape
func inputF1BF16AVX512(a *inputArgs)

//go:noescape
func inputF5S2PBF16AVX512(a *inputArgs)

//go:noescape
func outputF6PAVX512(a *outputArgs)

//go:noescape
func outputF6PAddAVX512(a *outputArgs)

//go:noescape
func outputF5PAVX512(a *outputArgs)

//go:noescape
func outputF4AVX2(a *outputArgs)

//go:noescape
func outputF4AVX512(a *outputArgs)

//go:noescape
func outputF4AddAVX2(a *outputArgs)

//go:noescape
func outputF4AddAVX512(a *outputArgs)

//go:noescape
func outputF6AVX2(a *outputArgs)

//go:noescape
func outputF6AVX512(a *outputArgs)

//go:noescape
func outputF6AddAVX2(a *outputArgs)

//go:noescape
func outputF6AddAVX512(a *outputArgs)

//go:noescape
func outputF7AVX2(a *outputArgs)

//go:noescape
func outputF7AVX512(a *outputArgs)

//go:noescape
func outputF9AVX2(a *outputArgs)

//go:noescape
func outputF9AVX512(a *outputArgs)

//go:noescape
func outputF9AddAVX2(a *outputArgs)

//go:noescape
func outputF9AddAVX512(a *outputArgs)

//go:noescape
func outputF5AVX2(a *outputArgs)

//go:noescape
func outputF5AVX512(a *outputArgs)

//go:noescape
func outputF1AVX2(a *outputArgs)

//go:noescape
func outputF1AVX512(a *outputArgs)

//go:noescape
func maxPoolAVX2(a *poolArgs)

//go:noescape
func maxPoolAVX512(a *poolArgs)

//go:noescape
func fmaAVX2(a *fmaArgs)

//go:noescape
func fmaAVX512(a *fmaArgs)

//go:noescape
func dotAVX512(a *fmaArgs)
