using System.Buffers;

namespace GrpcShm.EventBus.Wire;

/// <summary>Parses encoded messages that may lie in several pieces by parsers that take one piece.</summary>
internal static class WholeMessage
{
    // The pool would keep larger memory for long, though such messages are rare.
    private const int MostPooled = 1024 * 1024;

    /// <summary>Parses one piece. What it makes must not refer to the bytes.</summary>
    internal delegate T Parser<out T>(ReadOnlySpan<byte> encoded);

    /// <summary>Parses a message, of which a copy is made if it lies in several pieces.</summary>
    public static T Parse<T>(in ReadOnlySequence<byte> encoded, Parser<T> parse)
    {
        if (encoded.IsSingleSegment)
        {
            return parse(encoded.FirstSpan);
        }

        if (encoded.Length > MostPooled)
        {
            return parse(encoded.ToArray());
        }

        var length = (int)encoded.Length;
        var whole = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            encoded.CopyTo(whole);
            return parse(whole.AsSpan(0, length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(whole);
        }
    }
}
