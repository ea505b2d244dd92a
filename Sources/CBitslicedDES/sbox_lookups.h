// Made by `swift run -c release sbox-circuits`; do not edit. S-boxes of DES: look-ups of three bits.
// S1 to S8: 28 25 26 21 26 26 26 26; on average 25.5.
// x0 is the first input bit (the row's high bit), y0 the first output bit; all are planes of one bit a lane.

SBOX void sbox1(V x0, V x1, V x2, V x3, V x4, V x5, V *y0, V *y1, V *y2, V *y3) {
    const V t0 = LOOKUP(0x79, x2, x3, x5);
    const V t1 = LOOKUP(0x87, x2, x3, x5);
    const V t2 = LOOKUP(0xAC, x1, t0, t1);
    const V t3 = LOOKUP(0xC6, x1, x3, t1);
    const V t4 = LOOKUP(0x6C, x4, t2, t3);
    const V t5 = LOOKUP(0x4B, x2, t0, t3);
    const V t6 = LOOKUP(0x3D, x1, x5, t5);
    const V t7 = LOOKUP(0xAC, x4, t5, t6);
    const V t8 = LOOKUP(0x6C, x0, t4, t7);
    const V t9 = LOOKUP(0x95, x4, t1, t6);
    const V t10 = LOOKUP(0x67, x1, x4, t4);
    const V t11 = LOOKUP(0x6C, x2, t9, t10);
    const V t12 = LOOKUP(0x90, x0, x1, x5);
    const V t13 = LOOKUP(0x92, t12, x3, x4);
    const V t14 = LOOKUP(0xB4, x4, t10, t13);
    const V t15 = LOOKUP(0xCA, x2, t13, t14);
    const V t16 = LOOKUP(0xAC, x0, t11, t15);
    const V t17 = LOOKUP(0x1F, x0, x1, t15);
    const V t18 = LOOKUP(0x96, t17, t3, t4);
    const V t19 = LOOKUP(0x6A, t6, t8, t16);
    const V t20 = LOOKUP(0x94, t19, t2, t14);
    const V t21 = LOOKUP(0xC6, x5, t18, t20);
    const V t22 = LOOKUP(0x86, x1, x5, t8);
    const V t23 = LOOKUP(0x1C, t22, t18, t20);
    const V t24 = LOOKUP(0x14, x4, x5, t4);
    const V t25 = LOOKUP(0x94, x2, t20, t21);
    const V t26 = LOOKUP(0xC6, x1, t24, t25);
    const V t27 = LOOKUP(0xC6, x0, t23, t26);
    *y0 = t16;
    *y1 = t27;
    *y2 = t8;
    *y3 = t21;
}

SBOX void sbox2(V x0, V x1, V x2, V x3, V x4, V x5, V *y0, V *y1, V *y2, V *y3) {
    const V t0 = LOOKUP(0x69, x0, x3, x4);
    const V t1 = LOOKUP(0x80, x0, x1, x4);
    const V t2 = LOOKUP(0xF9, t1, x2, x3);
    const V t3 = LOOKUP(0x6C, x1, t0, t2);
    const V t4 = LOOKUP(0x87, x1, x3, x4);
    const V t5 = LOOKUP(0x9A, t4, x2, t0);
    const V t6 = LOOKUP(0xAC, x5, t3, t5);
    const V t7 = LOOKUP(0x84, x3, x5, t0);
    const V t8 = LOOKUP(0xB6, t7, x0, t2);
    const V t9 = LOOKUP(0x7E, x0, x4, x5);
    const V t10 = LOOKUP(0x6C, x2, t8, t9);
    const V t11 = LOOKUP(0xB7, x4, t2, t7);
    const V t12 = LOOKUP(0xA4, t11, x2, t9);
    const V t13 = LOOKUP(0x6C, x1, t10, t12);
    const V t14 = LOOKUP(0x83, x5, t2, t8);
    const V t15 = LOOKUP(0x78, t14, t0, t4);
    const V t16 = LOOKUP(0xA9, x2, x5, t4);
    const V t17 = LOOKUP(0x92, t16, x0, x4);
    const V t18 = LOOKUP(0x6C, x1, t15, t17);
    const V t19 = LOOKUP(0x59, t6, t11, t16);
    const V t20 = LOOKUP(0x69, t0, t4, t9);
    const V t21 = LOOKUP(0xAC, x2, t19, t20);
    const V t22 = LOOKUP(0x0B, x5, t0, t19);
    const V t23 = LOOKUP(0x12, t22, t7, t15);
    const V t24 = LOOKUP(0xC6, x0, t21, t23);
    *y0 = t18;
    *y1 = t6;
    *y2 = t24;
    *y3 = t13;
}

SBOX void sbox3(V x0, V x1, V x2, V x3, V x4, V x5, V *y0, V *y1, V *y2, V *y3) {
    const V t0 = LOOKUP(0xE4, x2, x3, x4);
    const V t1 = LOOKUP(0x96, t0, x1, x5);
    const V t2 = LOOKUP(0x60, x0, x2, x5);
    const V t3 = LOOKUP(0x92, t2, x1, x4);
    const V t4 = LOOKUP(0xD5, x1, x2, x5);
    const V t5 = LOOKUP(0xC6, x3, t3, t4);
    const V t6 = LOOKUP(0xAC, x0, t1, t5);
    const V t7 = LOOKUP(0x69, x2, x3, t1);
    const V t8 = LOOKUP(0x90, x3, x4, t1);
    const V t9 = LOOKUP(0x6C, x5, t7, t8);
    const V t10 = LOOKUP(0x27, x1, x3, x4);
    const V t11 = LOOKUP(0xFD, t10, x2, t1);
    const V t12 = LOOKUP(0xC6, x0, t9, t11);
    const V t13 = LOOKUP(0x65, x1, x2, t1);
    const V t14 = LOOKUP(0x2D, x3, t2, t4);
    const V t15 = LOOKUP(0xAC, x4, t13, t14);
    const V t16 = LOOKUP(0x41, x1, x2, t8);
    const V t17 = LOOKUP(0x5E, t16, x3, t13);
    const V t18 = LOOKUP(0xC6, x0, t15, t17);
    const V t19 = LOOKUP(0x86, x0, x1, t4);
    const V t20 = LOOKUP(0x78, t19, x2, t1);
    const V t21 = LOOKUP(0x96, t6, t12, t14);
    const V t22 = LOOKUP(0xAC, x3, t20, t21);
    const V t23 = LOOKUP(0x2C, t1, t9, t21);
    const V t24 = LOOKUP(0xF2, t23, x1, t19);
    const V t25 = LOOKUP(0x6C, x4, t22, t24);
    *y0 = t18;
    *y1 = t12;
    *y2 = t25;
    *y3 = t6;
}

SBOX void sbox4(V x0, V x1, V x2, V x3, V x4, V x5, V *y0, V *y1, V *y2, V *y3) {
    const V t0 = LOOKUP(0x6B, x0, x2, x4);
    const V t1 = LOOKUP(0x6C, x3, t0, x4);
    const V t2 = LOOKUP(0x9E, x0, x3, x4);
    const V t3 = LOOKUP(0xD0, t2, x2, t1);
    const V t4 = LOOKUP(0xAC, x1, t1, t3);
    const V t5 = LOOKUP(0x96, x0, x2, t3);
    const V t6 = LOOKUP(0x94, t5, x3, x4);
    const V t7 = LOOKUP(0xEB, x2, x4, t5);
    const V t8 = LOOKUP(0xC6, x1, t6, t7);
    const V t9 = LOOKUP(0xC6, x5, t4, t8);
    const V t10 = LOOKUP(0x9C, x5, t4, t8);
    const V t11 = LOOKUP(0xD3, x0, x1, x3);
    const V t12 = LOOKUP(0x34, t11, x2, t2);
    const V t13 = LOOKUP(0xB4, x0, x1, x2);
    const V t14 = LOOKUP(0x3E, t13, x3, t8);
    const V t15 = LOOKUP(0xAC, x4, t12, t14);
    const V t16 = LOOKUP(0x79, x1, x2, t3);
    const V t17 = LOOKUP(0x6A, t0, t6, t12);
    const V t18 = LOOKUP(0xC6, x4, t16, t17);
    const V t19 = LOOKUP(0xC6, x5, t15, t18);
    const V t20 = LOOKUP(0x9C, x5, t15, t18);
    *y0 = t9;
    *y1 = t10;
    *y2 = t20;
    *y3 = t19;
}

SBOX void sbox5(V x0, V x1, V x2, V x3, V x4, V x5, V *y0, V *y1, V *y2, V *y3) {
    const V t0 = LOOKUP(0x1E, x0, x2, x5);
    const V t1 = LOOKUP(0x76, x0, x2, x5);
    const V t2 = LOOKUP(0xAC, x1, t0, t1);
    const V t3 = LOOKUP(0xD7, x0, x2, x5);
    const V t4 = LOOKUP(0x6C, x4, t2, t3);
    const V t5 = LOOKUP(0x49, x0, x2, x4);
    const V t6 = LOOKUP(0x96, t5, x1, x5);
    const V t7 = LOOKUP(0xAC, x3, t4, t6);
    const V t8 = LOOKUP(0x49, x0, x3, t4);
    const V t9 = LOOKUP(0x96, t8, x2, x4);
    const V t10 = LOOKUP(0x6E, x4, t0, t8);
    const V t11 = LOOKUP(0xCA, x5, t9, t10);
    const V t12 = LOOKUP(0x3E, t3, t8, t9);
    const V t13 = LOOKUP(0xDB, t12, x2, t6);
    const V t14 = LOOKUP(0xC6, x1, t11, t13);
    const V t15 = LOOKUP(0x54, x1, x2, t5);
    const V t16 = LOOKUP(0xE5, x1, x4, t5);
    const V t17 = LOOKUP(0x78, t16, x0, x2);
    const V t18 = LOOKUP(0xAC, x3, t15, t17);
    const V t19 = LOOKUP(0xF4, x4, t7, t14);
    const V t20 = LOOKUP(0x78, t19, x0, t17);
    const V t21 = LOOKUP(0x6C, x5, t18, t20);
    const V t22 = LOOKUP(0xD8, x0, x1, t21);
    const V t23 = LOOKUP(0x96, t22, t7, t14);
    const V t24 = LOOKUP(0x71, t9, t17, t21);
    const V t25 = LOOKUP(0xC6, x4, t23, t24);
    *y0 = t14;
    *y1 = t7;
    *y2 = t25;
    *y3 = t21;
}

SBOX void sbox6(V x0, V x1, V x2, V x3, V x4, V x5, V *y0, V *y1, V *y2, V *y3) {
    const V t0 = LOOKUP(0x5A, x0, x1, x4);
    const V t1 = LOOKUP(0xC9, x0, x1, x4);
    const V t2 = LOOKUP(0xAC, x2, t0, t1);
    const V t3 = LOOKUP(0x95, x2, t0, t1);
    const V t4 = LOOKUP(0xAC, x3, t2, t3);
    const V t5 = LOOKUP(0x8D, x1, x2, t1);
    const V t6 = LOOKUP(0xE8, t5, x0, x3);
    const V t7 = LOOKUP(0x6C, x5, t4, t6);
    const V t8 = LOOKUP(0x5B, x1, x4, t0);
    const V t9 = LOOKUP(0xA4, t8, x0, x3);
    const V t10 = LOOKUP(0x32, x3, t6, t8);
    const V t11 = LOOKUP(0x6C, x5, t9, t10);
    const V t12 = LOOKUP(0x5D, t0, t4, t7);
    const V t13 = LOOKUP(0x5E, t12, x4, t1);
    const V t14 = LOOKUP(0x6C, x2, t11, t13);
    const V t15 = LOOKUP(0x69, x0, x3, x4);
    const V t16 = LOOKUP(0x6D, x3, t7, t14);
    const V t17 = LOOKUP(0x6C, x5, t15, t16);
    const V t18 = LOOKUP(0x6B, x4, x5, t17);
    const V t19 = LOOKUP(0x94, t18, x1, t15);
    const V t20 = LOOKUP(0xC6, x2, t17, t19);
    const V t21 = LOOKUP(0x1F, t7, t10, t20);
    const V t22 = LOOKUP(0x96, t21, x1, t14);
    const V t23 = LOOKUP(0x68, x4, t2, t6);
    const V t24 = LOOKUP(0x9A, t23, t4, t22);
    const V t25 = LOOKUP(0xCA, x5, t22, t24);
    *y0 = t20;
    *y1 = t25;
    *y2 = t14;
    *y3 = t7;
}

SBOX void sbox7(V x0, V x1, V x2, V x3, V x4, V x5, V *y0, V *y1, V *y2, V *y3) {
    const V t0 = LOOKUP(0x69, x0, x3, x4);
    const V t1 = LOOKUP(0x4B, x1, x3, x4);
    const V t2 = LOOKUP(0xC6, x2, t0, t1);
    const V t3 = LOOKUP(0x9F, x0, x2, t0);
    const V t4 = LOOKUP(0x72, t3, x1, t1);
    const V t5 = LOOKUP(0x6C, x5, t2, t4);
    const V t6 = LOOKUP(0xB3, x1, x2, t5);
    const V t7 = LOOKUP(0x96, t6, x5, t4);
    const V t8 = LOOKUP(0x65, x2, x5, t1);
    const V t9 = LOOKUP(0xAC, x0, t7, t8);
    const V t10 = LOOKUP(0x3D, x1, x3, t8);
    const V t11 = LOOKUP(0xD2, t10, x2, x5);
    const V t12 = LOOKUP(0x8E, x2, x3, t7);
    const V t13 = LOOKUP(0xAC, x0, t11, t12);
    const V t14 = LOOKUP(0xAC, x4, t9, t13);
    const V t15 = LOOKUP(0xA7, x0, x3, t7);
    const V t16 = LOOKUP(0x78, t15, t8, t13);
    const V t17 = LOOKUP(0xE2, x1, x5, t12);
    const V t18 = LOOKUP(0x7A, t17, t0, t4);
    const V t19 = LOOKUP(0x6C, x4, t16, t18);
    const V t20 = LOOKUP(0x9A, x4, x5, t8);
    const V t21 = LOOKUP(0xD1, t8, t11, t20);
    const V t22 = LOOKUP(0xAC, x0, t20, t21);
    const V t23 = LOOKUP(0xB7, t17, t18, t22);
    const V t24 = LOOKUP(0xB4, t23, t8, t15);
    const V t25 = LOOKUP(0xAC, x3, t22, t24);
    *y0 = t14;
    *y1 = t19;
    *y2 = t25;
    *y3 = t5;
}

SBOX void sbox8(V x0, V x1, V x2, V x3, V x4, V x5, V *y0, V *y1, V *y2, V *y3) {
    const V t0 = LOOKUP(0xA6, x1, x2, x5);
    const V t1 = LOOKUP(0xB4, x1, x2, x5);
    const V t2 = LOOKUP(0xAC, x0, t0, t1);
    const V t3 = LOOKUP(0xEF, x0, x5, t0);
    const V t4 = LOOKUP(0x6C, x3, t2, t3);
    const V t5 = LOOKUP(0xF4, x0, x1, x3);
    const V t6 = LOOKUP(0xD2, t5, x2, t3);
    const V t7 = LOOKUP(0xC6, x4, t4, t6);
    const V t8 = LOOKUP(0x79, x0, x4, t0);
    const V t9 = LOOKUP(0xB4, t8, x1, x2);
    const V t10 = LOOKUP(0x9D, x0, x1, x4);
    const V t11 = LOOKUP(0x6C, x3, t9, t10);
    const V t12 = LOOKUP(0x6A, t0, t5, t7);
    const V t13 = LOOKUP(0x95, t12, t4, t9);
    const V t14 = LOOKUP(0xAC, x5, t11, t13);
    const V t15 = LOOKUP(0xC1, x1, x3, t10);
    const V t16 = LOOKUP(0xB4, t15, x2, x4);
    const V t17 = LOOKUP(0xC6, t8, t10, t13);
    const V t18 = LOOKUP(0xC6, x0, t16, t17);
    const V t19 = LOOKUP(0x9A, x0, x4, t11);
    const V t20 = LOOKUP(0xAC, x5, t18, t19);
    const V t21 = LOOKUP(0x53, x4, x5, t17);
    const V t22 = LOOKUP(0xA6, t21, x0, t16);
    const V t23 = LOOKUP(0x86, x4, x5, t20);
    const V t24 = LOOKUP(0xC2, t23, t1, t7);
    const V t25 = LOOKUP(0xC6, x3, t22, t24);
    *y0 = t20;
    *y1 = t7;
    *y2 = t25;
    *y3 = t14;
}
