#pragma once
#include <winscard.h>
#include <wintypes.h>
#include <pcsclite.h>
#include <stddef.h>
// The T=0/T=1 protocol headers are macros that take the address of a global: Swift cannot import them.
static inline LONG kmsd_scard_transmit(SCARDHANDLE card, DWORD protocol, const BYTE *send, DWORD sendLength,
                                       BYTE *receive, DWORD *receiveLength) {
    return SCardTransmit(card, protocol == SCARD_PROTOCOL_T1 ? SCARD_PCI_T1 : SCARD_PCI_T0, send, sendLength, NULL,
                         receive, receiveLength);
}
