// 64 lanes in a machine word, for any processor.
#include <stdint.h>

typedef uint64_t V;
#define TITLE "portable"
#define LANES 64
#define NAME(x) portable_##x
#define SBOX static inline __attribute__((always_inline))
#define AND(a, b) ((a) & (b))
#define OR(a, b) ((a) | (b))
#define XOR(a, b) ((a) ^ (b))
#define ANDNOT(a, b) ((a) & ~(b))
#define NOT(a) (~(a))
#define LEFT(a, n) ((a) << (n))
#define RIGHT(a, n) ((a) >> (n))
#define ALL(word) ((uint64_t)(word))
// Machine registers are overwritten by whatever comes next.
#define WIPE_REGISTERS
#include "sbox_gates.h"
#include "kernel.h"

const kmsd_des_kernel *kmsd_des_portable(void) { return &kernel; }

#include "sbox_probe.h"
void kmsd_des_portable_sbox(int box, const void *inputs, void *outputs) { probe(box, inputs, outputs); }
