"""Build the pretend GPU out of the C files here: python build.py FOLDER, with MXNet's CUDA build, gcc and nm at hand."""
from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
from pathlib import Path

# Functions that libmxnet.so asks for and the source leaves out: what they are counted as (first match)
KINDS = {
    'product': r'cublas\w*(gemm|Gemm|dot|syrk|trmm|trsm|getr)\w*',
    'cudnn': r'cudnn(?!Get|Set|Create|Destroy|Find)\w*(Forward|Backward|AddTensor)\w*',
    'kernel': r'curandGenerate\w+|cufftExec\w+|nccl(Bcast|Reduce)',
    'other': r'\w+',
}
GIVES_A_HANDLE = r'(cudnn|cublas|cusolver|curand|cudaEvent|cudaStream|nvrtc)\w*Create\w*|cufftPlanMany'
ASKED = r'(cuda|cublas|cudnn|curand|cusolver|cufft|nvrtc|nvtx|nccl|__cuda|cu(?=[A-Z]))\w+'

# The one header that NVIDIA's package of the runtime leaves to its compiler's
HOST_DEFINES = '''#define __device_builtin__
#define __cudart_builtin__
#define __device_builtin_texture_type__
#define __device_builtin_surface_type__
#define __host__
#define __device__
#define CUDARTAPI
#define CUDARTAPI_CDECL
#define CUDART_CB
#define __dv(value)
#define __align__(size) __attribute__((aligned(size)))
#define __builtin_align__(size) __align__(size)
'''


def main(folder: Path) -> None:
    packages = Path(sysconfig.get_paths()['purelib'])
    here, library = Path(__file__).parent, packages / 'mxnet' / 'libmxnet.so'
    listed = subprocess.run(['nm', '-D', '--undefined-only', str(library)], capture_output=True, text=True, check=True).stdout
    asked = sorted(name for line in listed.splitlines() for name in [line.split()[-1].partition('@')[0]]
                   if re.fullmatch(ASKED, name))
    folder.mkdir(parents=True, exist_ok=True)
    rest = folder / 'rest.c'
    rest.write_text('#include <stdlib.h>\nvoid pretend_count(const char *kind, const char *name);\n'
                    + ''.join(map(function, asked)))
    (folder / 'crt').mkdir(exist_ok=True)
    (folder / 'crt' / 'host_defines.h').write_text(HOST_DEFINES)
    includes = [f'-I{folder}', f'-I{packages / "nvidia" / "cuda_runtime" / "include"}']
    subprocess.run(['gcc', '-O1', '-Wall', '-shared', '-fPIC', *includes, '-pthread', '-o', str(folder / 'libpretend.so'),
                    *map(str, sorted(here.glob('*.c'))), str(rest)], check=True)
    print(f'{folder / "libpretend.so"}: {len(asked)} functions')


def function(name: str) -> str:
    """A stand-in that gives way to one written in C, where there is one."""
    kind = next(kind for kind, pattern in KINDS.items() if re.fullmatch(pattern, name))
    handle = '*handle = calloc(1, 512); ' if re.fullmatch(GIVES_A_HANDLE, name) else ''
    return (f'__attribute__((weak)) long {name}({"void **handle" if handle else "void"}) '
            f'{{ {handle}pretend_count("{kind}", "{name}"); return 0; }}\n')


if __name__ == '__main__':
    main(Path(sys.argv[1]))
