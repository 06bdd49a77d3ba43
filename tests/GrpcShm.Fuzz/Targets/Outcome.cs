using GrpcShm.Transport;
using GrpcShm.Transport.Handshake;

namespace GrpcShm.Fuzz.Targets;

/// <summary>What became of an input, in words that leave out what the peer has chosen.</summary>
internal static class Outcome
{
    // Long enough to tell one sentence of the transport from another.
    private const int MostLetters = 60;

    /// <summary>Whether an exception is one that a peer's doing may lead to.</summary>
    public static bool IsExpected(Exception exception) =>
        exception
            is SharedMemoryProtocolException
            or SharedMemoryResourcesException
            or HandshakeException
            or EndOfStreamException;

    public static string Of(Exception exception) => $"{exception.GetType().Name} {Of(exception.Message)}";

    /// <summary>
    /// A message up to the first colon or quote, behind which the peer's own words come, and without numbers.
    /// </summary>
    public static string Of(string message)
    {
        Span<char> letters = stackalloc char[MostLetters];
        var count = 0;
        for (var i = 0; i < message.Length && count < letters.Length && message[i] is not (':' or '\''); i++)
        {
            if (message[i] == '0' && i + 1 < message.Length && message[i + 1] == 'x')
            {
                // A number with letters in it.
                while (i + 1 < message.Length && char.IsAsciiLetterOrDigit(message[i + 1]))
                {
                    i++;
                }
            }
            else if (char.IsAsciiLetter(message[i]) || message[i] == ' ')
            {
                letters[count++] = message[i];
            }
        }

        return letters[..count].ToString();
    }
}
