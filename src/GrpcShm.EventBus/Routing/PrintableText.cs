using System.Buffers;
using System.Text;

namespace GrpcShm.EventBus.Routing;

/// <summary>
/// Ids and names are written into logs, consoles and messages of other processes. They must not hold characters that
/// move a cursor there, end a line, or turn the direction of a text (UAX #9).
/// </summary>
internal static class PrintableText
{
    /// <summary>The characters that no id and no name has.</summary>
    public static SearchValues<char> Unprintable { get; } = SearchValues.Create(
        [
            .. Enumerable.Range(0, 0x20).Concat(Enumerable.Range(0x7F, 0x21)).Select(static c => (char)c),
            '\u2028', '\u2029', '\u200E', '\u200F', '\u202A', '\u202B', '\u202C', '\u202D', '\u202E',
            '\u2066', '\u2067', '\u2068', '\u2069',
        ]);

    /// <summary>True if a text has none of them.</summary>
    public static bool IsPrintable(string text) => !text.AsSpan().ContainsAny(Unprintable);

    /// <summary>True if a text in UTF-8, which is well formed, has none of them.</summary>
    public static bool IsPrintable(ReadOnlySpan<byte> text) =>
        text.IndexOfAnyExceptInRange((byte)0x20, (byte)0x7E) < 0
        || IsPrintable(Encoding.UTF8.GetString(text));
}
