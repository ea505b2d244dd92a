import Dispatch
import Glibc

/// The terminal as a screen that is drawn again and again: keys come singly and unseen, and what was there comes back at the end.
struct LiveTerminal: ~Copyable {
    private let saved: termios

    /// Nil where input or output is no terminal.
    static func open() -> LiveTerminal? {
        guard isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1 else { return nil }
        var settings = termios()
        guard unsafe tcgetattr(STDIN_FILENO, &settings) == 0 else { return nil }
        let saved = settings
        // Ctrl-C comes as a byte, so that there is one way out and it restores the screen.
        settings.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG)
        guard unsafe tcsetattr(STDIN_FILENO, TCSAFLUSH, &settings) == 0 else { return nil }
        Terminal.write("\u{1B}[?1049h\u{1B}[?25l", to: STDOUT_FILENO)
        return LiveTerminal(saved: saved)
    }

    deinit {
        Terminal.write("\u{1B}[?25h\u{1B}[?1049l", to: STDOUT_FILENO)
        var settings = saved
        unsafe tcsetattr(STDIN_FILENO, TCSAFLUSH, &settings)
    }

    /// Columns and rows; 80 x 24 where the terminal does not say.
    static var size: (width: Int, height: Int) {
        var size = winsize()
        guard unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return (80, 24)
        }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    borrowing func draw(_ lines: [String]) {
        // Each line is cleared behind its text and the rest of the screen at the end: no flicker.
        let text = lines.map { $0 + "\u{1B}[K" }.joined(separator: "\r\n")
        Terminal.write("\u{1B}[H" + text + "\u{1B}[J", to: STDOUT_FILENO)
    }

    /// Waits; true when `q`, Ctrl-C or the end of input came.
    borrowing func isLeft(within milliseconds: Int32) async -> Bool {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: Self.leaves(milliseconds)) }
        }
    }

    private static func leaves(_ milliseconds: Int32) -> Bool {
        var waiting = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        guard unsafe poll(&waiting, 1, milliseconds) > 0 else { return false }
        var bytes = [UInt8](repeating: 0, count: 64)
        let got = unsafe Glibc.read(STDIN_FILENO, &bytes, bytes.count)
        return got <= 0 || bytes.prefix(max(0, got)).contains { $0 == 0x71 || $0 == 0x51 || $0 == 0x03 }
    }
}
