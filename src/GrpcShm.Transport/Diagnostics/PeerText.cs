using System.Globalization;

namespace GrpcShm.Transport.Diagnostics;

/// <summary>
/// Text that came from a peer, made fit for logs, exception messages and statuses: nothing in it ends a line, moves a cursor, turns the
/// direction of writing, or is longer than a person reads.
/// </summary>
internal static class PeerText
{
    /// <summary>So many characters are kept where nothing else is said.</summary>
    public const int MaxLength = 128;

    private const char Replacement = '\uFFFD';

    /// <summary>Cleans a text, and cuts it off.</summary>
    /// <param name="text">What the peer sent.</param>
    /// <param name="maxLength">The most characters of it, before the <c>…</c> of one that is cut off.</param>
    /// <returns>The text itself if nothing is wrong with it.</returns>
    public static string Clean(string? text, int maxLength = MaxLength)
    {
        if (text is null)
        {
            return "";
        }

        return text.Length <= maxLength && IsClean(text) ? text : Rewrite(text, maxLength);
    }

    private static bool IsClean(ReadOnlySpan<char> text) => !text.ContainsAnyExceptInRange(' ', '~');

    private static string Rewrite(string text, int maxLength)
    {
        var isCut = text.Length > maxLength;
        var length = isCut ? maxLength : text.Length;
        if (isCut && length > 0 && char.IsHighSurrogate(text[length - 1]) && char.IsLowSurrogate(text[length]))
        {
            length--;
        }

        return string.Create(length + (isCut ? 1 : 0), (text, length), static (span, source) =>
        {
            var i = 0;
            while (i < source.length)
            {
                if (i + 1 < source.length && char.IsSurrogatePair(source.text[i], source.text[i + 1]))
                {
                    var isShown = IsShown(CharUnicodeInfo.GetUnicodeCategory(source.text, i));
                    span[i] = isShown ? source.text[i] : Replacement;
                    span[i + 1] = isShown ? source.text[i + 1] : Replacement;
                    i += 2;
                    continue;
                }

                span[i] = IsShown(char.GetUnicodeCategory(source.text[i])) ? source.text[i] : Replacement;
                i++;
            }

            if (span.Length > source.length)
            {
                span[^1] = '…';
            }
        });
    }

    // Format characters turn the direction of writing, join, or are not seen; what is not assigned may be either one day.
    private static bool IsShown(UnicodeCategory category) => category is not (
        UnicodeCategory.Control
        or UnicodeCategory.Format
        or UnicodeCategory.LineSeparator
        or UnicodeCategory.ParagraphSeparator
        or UnicodeCategory.Surrogate
        or UnicodeCategory.PrivateUse
        or UnicodeCategory.OtherNotAssigned);
}
