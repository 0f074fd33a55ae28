//go:build !nocuda && linux && (amd64 || arm64)

package cuda

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unsafe"
)

// The bindings are what NVIDIA's headers declare: the number of arguments, the size
// and kind of each, what pointers point to, and every constant. ICEBOX_CUDA_HEADERS
// names the folders of cuda.h and cudnn.h, as a C++ compiler's -I.
func TestBindingsAreTheHeaders(t *testing.T) {
	dirs := os.Getenv("ICEBOX_CUDA_HEADERS")
	if dirs == "" {
		t.Skip("ICEBOX_CUDA_HEADERS does not name folders with cuda.h and cudnn.h")
	}
	var b strings.Builder
	b.WriteString(headerChecks)
	d, c := &driver{}, &cudnn{}
	for _, f := range append(d.bindings(), c.bindings()...) {
		fn := reflect.TypeOf(f.fn).Elem()
		result := "v<0>"
		if fn.NumOut() == 1 {
			result = kindOf(fn.Out(0))
		}
		args := []string{result}
		for i := range fn.NumIn() {
			args = append(args, kindOf(fn.In(i)))
		}
		fmt.Fprintf(&b, "static_assert(same<decltype(&%s), %s>::yes(), \"%s\");\n", f.symbol, strings.Join(args, ", "), f.symbol)
	}
	for name, value := range map[string]int{
		"CUDA_ERROR_OUT_OF_MEMORY": int(cuErrorOutOfMemory), "CUDA_ERROR_NO_DEVICE": int(cuErrorNoDevice), "CU_STREAM_NON_BLOCKING": cuStreamNonBlocking,
		"CU_EVENT_BLOCKING_SYNC": cuEventBlockingSync, "CU_EVENT_DISABLE_TIMING": cuEventDisableTiming,
		"CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR": cuAttributeComputeMajor, "CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR": cuAttributeComputeMinor,
		"CUDNN_MAJOR": cudnnMajor, "CUDNN_DATA_FLOAT": int(dataFloat), "CUDNN_DATA_HALF": int(dataHalf), "CUDNN_TENSOR_NHWC": tensorNHWC,
		"CUDNN_DEFAULT_MATH": int(defaultMath), "CUDNN_TENSOR_OP_MATH": int(tensorOpMath), "CUDNN_FMA_MATH": int(fmaMath),
		"CUDNN_CROSS_CORRELATION": crossCorrelation, "CUDNN_ACTIVATION_RELU": activationRelu, "CUDNN_NOT_PROPAGATE_NAN": notPropagateNaN,
		"CUDNN_POOLING_MAX": poolingMax, "CUDNN_POOLING_AVERAGE_COUNT_INCLUDE_PADDING": poolingAverageInclude,
		"CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM": int(algoImplicitPrecomp), "CUDNN_CONVOLUTION_FWD_ALGO_COUNT": algorithms, "CUDNN_DETERMINISTIC": deterministic,
		"CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED": int(statusHostAllocation), "CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED": int(statusDeviceAllocation),
		"CUDNN_STATUS_NOT_SUPPORTED": 3000, "CUDNN_STATUS_INTERNAL_ERROR": 4000, "CUDNN_STATUS_BAD_PARAM": 2000, // see unsupported
	} {
		fmt.Fprintf(&b, "static_assert((int)%s == %d, \"%s\");\n", name, value, name)
	}
	perf := reflect.TypeFor[algoPerf]()
	for i, name := range []string{"algo", "status", "time", "", "memory", "determinism", "mathType"} {
		if name != "" {
			fmt.Fprintf(&b, "static_assert(offsetof(cudnnConvolutionFwdAlgoPerf_t, %s) == %d, \"%s\");\n", name, perf.Field(i).Offset, name)
		}
	}
	fmt.Fprintf(&b, "static_assert(sizeof(cudnnConvolutionFwdAlgoPerf_t) == %d, \"algoPerf\");\n", unsafe.Sizeof(algoPerf{}))
	file := filepath.Join(t.TempDir(), "headers.cc")
	if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	args := []string{"-std=c++17", "-fsyntax-only", "-w", file}
	for _, dir := range filepath.SplitList(dirs) {
		args = append(args, "-I"+dir)
	}
	if out, err := exec.Command("c++", args...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// kindOf is how headerChecks writes a type: a value of so many bytes, a floating
// value, or a pointer to so many bytes.
func kindOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Float32, reflect.Float64:
		return fmt.Sprintf("f<%d>", t.Size())
	case reflect.Pointer:
		return fmt.Sprintf("p<%d>", t.Elem().Size())
	case reflect.String:
		return "p<1>"
	case reflect.UnsafePointer, reflect.Uintptr: // a pointer to memory of C, a handle, or a size_t
		return "w"
	}
	return fmt.Sprintf("v<%d>", t.Size())
}

const headerChecks = `#include <cstddef>
#include <type_traits>
#include <cuda.h>
#include <cudnn.h>
template <int N> struct v {};
template <int N> struct f {};
template <int N> struct p {};
struct w {};
template <class C> constexpr int size() { if constexpr (std::is_void_v<C>) return 0; else return sizeof(C); }
template <class C, class G> struct one;
template <class C, int N> struct one<C, v<N>> { static constexpr bool yes = size<C>() == N && !std::is_floating_point_v<C> && !std::is_pointer_v<C>; };
template <class C, int N> struct one<C, f<N>> { static constexpr bool yes = size<C>() == N && std::is_floating_point_v<C>; };
template <class C> struct one<C, w> { static constexpr bool yes = size<C>() == 8 && !std::is_floating_point_v<C>; };
template <class C, int N> struct one<C, p<N>> {
    using P = std::remove_cv_t<std::remove_pointer_t<C>>;
    static constexpr bool points() { if constexpr (std::is_void_v<P>) return true; else return sizeof(P) == N; }
    static constexpr bool yes = std::is_pointer_v<C> && points();
};
template <class F, class... G> struct same { static constexpr bool yes() { return false; } };
template <class R, class... A, class GR, class... G> struct same<R (*)(A...), GR, G...> {
    static constexpr bool yes() { if constexpr (sizeof...(A) == sizeof...(G)) return one<R, GR>::yes && (one<A, G>::yes && ...); else return false; }
};
`
