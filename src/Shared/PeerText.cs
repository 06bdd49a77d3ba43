using System.Buffers;
using System.Globalization;
using System.Text;

namespace GrpcShm;

/// <summary>
/// Text that came from a peer, made fit for logs, exceptions and status messages: a peer must not be able to forge
/// lines there, to move a terminal's cursor, to turn the direction of the text beside it, or to fill a disk.
/// </summary>
/// <remarks>Compiled into each library that hears from a peer.</remarks>
internal static class PeerText
{
    /// <summary>The most characters that are kept of a name, a path or a value.</summary>
    public const int MaxName = 128;

    /// <summary>The most characters that are kept of a sentence.</summary>
    public const int MaxSentence = 512;

    private const char Replacement = '\uFFFD';
    private const char Ellipsis = '\u2026';

    // Nearly all texts have only such characters.
    private static readonly SearchValues<char> Plain =
        SearchValues.Create([.. Enumerable.Range(0x20, 0x7F - 0x20).Select(static c => (char)c)]);

    /// <summary>Replaces characters that people cannot read, and cuts a text that is too long.</summary>
    /// <param name="text">The text that the peer sent.</param>
    /// <param name="maxLength">The most UTF-16 code units of the result.</param>
    /// <returns>The text itself if there is nothing to change.</returns>
    public static string Clean(string? text, int maxLength = MaxName)
    {
        if (string.IsNullOrEmpty(text))
        {
            return "";
        }

        return text.Length <= maxLength && !text.AsSpan().ContainsAnyExcept(Plain) ? text : Rewrite(text, maxLength);
    }

    private static string Rewrite(string text, int maxLength)
    {
        var result = new StringBuilder(Math.Min(text.Length, maxLength) + 1);
        foreach (var rune in text.EnumerateRunes())
        {
            if (result.Length + rune.Utf16SequenceLength > maxLength)
            {
                // Room for the mark, without half a character before it.
                var end = maxLength - 1;
                result.Length = end > 0 && char.IsHighSurrogate(result[end - 1]) ? end - 1 : end;
                result.Append(Ellipsis);
                break;
            }

            // A lone half of a surrogate pair is enumerated as the replacement character.
            result.Append(IsFit(rune) ? rune.ToString() : Replacement.ToString());
        }

        return result.ToString();
    }

    private static bool IsFit(Rune rune) => Rune.GetUnicodeCategory(rune) is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
        or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
        or UnicodeCategory.OtherNotAssigned);
}
