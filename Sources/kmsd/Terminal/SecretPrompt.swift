import Glibc
import HSMBridge

/// Asks a person for a PIN, password or component: without echo on a terminal, else one line of standard input.
enum SecretPrompt {
    /// - Throws: `SecretInput.Refusal` where nothing, too much or something else than hexadecimal was typed.
    static func read(_ question: String, hexadecimal: Bool = false) throws(SecretInput.Refusal) -> SecretInput {
        guard isatty(STDIN_FILENO) == 1 else {
            return try SecretInput(lineFrom: STDIN_FILENO, hexadecimal: hexadecimal)
        }
        Terminal.ask(question)
        var before = termios()
        guard unsafe tcgetattr(STDIN_FILENO, &before) == 0 else { throw .unreadable }
        var silent = before
        silent.c_lflag &= ~tcflag_t(ECHO)
        unsafe tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent)
        defer {
            unsafe tcsetattr(STDIN_FILENO, TCSAFLUSH, &before)
            Terminal.ask("\n")
        }
        return try SecretInput(lineFrom: STDIN_FILENO, hexadecimal: hexadecimal)
    }
}
