/* What the pretend cards of `pretend_gpu.c` answer for cuDNN, and for NVRTC and the driver, by which MXNet compiles its fused kernels. */
#include <stddef.h>
#include <string.h>

void pretend_count(const char *kind, const char *name);

/* ---- cuDNN: descriptors remember what is asked back ---- */
struct tensor { int type, shape[8]; };
struct rnn { int hidden, layers, directions, gates; };

size_t cudnnGetVersion(void) { return 8906; }
int cudnnSetTensorNdDescriptor(struct tensor *t, int type, int dims, const int *shape, const int *strides) {
    t->type = type;
    memcpy(t->shape, shape, (dims < 8 ? dims : 8) * sizeof *shape);
    return 0;
}
int cudnnSetRNNDescriptor_v6(void *h, struct rnn *r, int hidden, int layers, void *dropout, int input, int bidirectional, int mode, int a, int type) {
    *r = (struct rnn){hidden, layers, 1 + bidirectional, mode == 2 ? 4 : mode == 3 ? 3 : 1};       /* relu, tanh, LSTM, GRU */
    return 0;
}
int cudnnGetRNNParamsSize(void *h, struct rnn *r, struct tensor *x, size_t *size, int type) {
    long numbers = 0;
    for (int i = 0; i < r->layers; i++)
        numbers += (long)r->directions * r->gates * r->hidden * ((i ? r->directions * r->hidden : x->shape[1]) + r->hidden + 2);
    *size = numbers * (type == 1 ? 8 : type == 2 ? 2 : 4);
    return 0;
}
int cudnnGetRNNWorkspaceSize(void *h, void *r, int steps, void *x, size_t *size) { *size = 1 << 20; return 0; }
int cudnnGetRNNTrainingReserveSize(void *h, void *r, int steps, void *x, size_t *size) { *size = 1 << 20; return 0; }
int cudnnDropoutGetStatesSize(void *h, size_t *size) { *size = 1 << 20; return 0; }
int cudnnDropoutGetReserveSpaceSize(void *x, size_t *size) { *size = 1; return 0; }

/* ---- kernels that MXNet writes and compiles while it runs (its fusion) ---- */
int cuLaunchKernel(void *f) { pretend_count("kernel", "fused"); return 0; }
int nvrtcGetPTXSize(void *program, size_t *size) { *size = 1; return 0; }
int nvrtcGetPTX(void *program, char *text) { *text = 0; return 0; }
int nvrtcGetProgramLogSize(void *program, size_t *size) { *size = 1; return 0; }
int nvrtcGetProgramLog(void *program, char *text) { *text = 0; return 0; }
int nvrtcGetLoweredName(void *program, const char *name, const char **lowered) { *lowered = name; return 0; }
