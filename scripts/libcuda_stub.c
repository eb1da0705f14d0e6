/* A driver for machines without a GPU: the names that MXNet's CUDA build wants of libcuda.so.1, each of which says that there is
 * no device. With it the build loads, finds no GPU and runs on the CPU, so an installation can be proved anywhere.
 *
 *     gcc -shared -fPIC -Wl,-soname,libcuda.so.1 -o libcuda.so.1 scripts/libcuda_stub.c
 */
#define NO_DEVICE 100       /* CUDA_ERROR_NO_DEVICE */
#define NAME(name) int name(void) { return NO_DEVICE; }

NAME(cuDeviceGet)
NAME(cuDevicePrimaryCtxRetain)
NAME(cuGetErrorString)
NAME(cuGraphKernelNodeGetParams)
NAME(cuGraphNodeGetType)
NAME(cuLaunchKernel)
NAME(cuModuleGetFunction)
NAME(cuModuleLoadData)
NAME(cuModuleLoadDataEx)
NAME(cuModuleUnload)
