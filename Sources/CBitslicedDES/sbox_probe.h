// One S-box of the including kernel by its number, for the tests.
INLINE void probe(int box, const V *x, V *y) {
    switch (box) {
    case 0: sbox1(x[0], x[1], x[2], x[3], x[4], x[5], y, y + 1, y + 2, y + 3); break;
    case 1: sbox2(x[0], x[1], x[2], x[3], x[4], x[5], y, y + 1, y + 2, y + 3); break;
    case 2: sbox3(x[0], x[1], x[2], x[3], x[4], x[5], y, y + 1, y + 2, y + 3); break;
    case 3: sbox4(x[0], x[1], x[2], x[3], x[4], x[5], y, y + 1, y + 2, y + 3); break;
    case 4: sbox5(x[0], x[1], x[2], x[3], x[4], x[5], y, y + 1, y + 2, y + 3); break;
    case 5: sbox6(x[0], x[1], x[2], x[3], x[4], x[5], y, y + 1, y + 2, y + 3); break;
    case 6: sbox7(x[0], x[1], x[2], x[3], x[4], x[5], y, y + 1, y + 2, y + 3); break;
    default: sbox8(x[0], x[1], x[2], x[3], x[4], x[5], y, y + 1, y + 2, y + 3); break;
    }
}
