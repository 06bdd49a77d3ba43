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
        exception is SharedMemoryProtocolException or SharedMemoryResourcesException or HandshakeException or EndOfStreamException;

    public static string Of(Exception exception) => $"{exception.GetType().Name} {Of(exception.Message)}";

    /// <summary>A message up to the first colon or quote, behind which the peer's own words come, and without numbers.</summary>
    public static string Of(string message)
    {
        Span<char> letters = stackalloc char[MostLetters];
        var count = 0;
        foreach (var c in message)
        {
            if (count == letters.Length || c is ':' or '\'')
            {
                break;
            }

            if (char.IsAsciiLetter(c) || c == ' ')
            {
                letters[count++] = c;
            }
        }

        return letters[..count].ToString();
    }
}
