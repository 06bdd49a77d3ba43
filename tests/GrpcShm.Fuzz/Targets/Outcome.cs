using GrpcShm.Transport;
using GrpcShm.Transport.Handshake;

namespace GrpcShm.Fuzz.Targets;

/// <summary>The outcome of an input, in words without the parts that the peer has chosen.</summary>
internal static class Outcome
{
    // This is long enough to distinguish the sentences of the transport.
    private const int MostLetters = 60;

    /// <summary>True if a peer may cause an exception of this type.</summary>
    public static bool IsExpected(Exception exception) =>
        exception
            is SharedMemoryProtocolException
            or SharedMemoryResourcesException
            or HandshakeException
            or EndOfStreamException;

    public static string Of(Exception exception) => $"{exception.GetType().Name} {Of(exception.Message)}";

    /// <summary>
    /// A message without numbers, up to the first colon or quote, since the peer's own words come after that.
    /// </summary>
    public static string Of(string message)
    {
        Span<char> letters = stackalloc char[MostLetters];
        var count = 0;
        for (var i = 0; i < message.Length && count < letters.Length && message[i] is not (':' or '\''); i++)
        {
            if (message[i] == '0' && i + 1 < message.Length && message[i + 1] == 'x')
            {
                // A number may contain letters.
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
