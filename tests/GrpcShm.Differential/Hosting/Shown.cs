using System.Globalization;
using System.Text;

namespace GrpcShm.Differential.Hosting;

/// <summary>Text as it can be compared and printed: what is no printable ASCII is spelled out.</summary>
internal static class Shown
{
    private const int MaxLength = 2000;

    public static string Text(string? text)
    {
        if (text is null)
        {
            return "(null)";
        }

        var shown = new StringBuilder(text.Length + 2).Append('"');
        foreach (var c in text.AsSpan(0, Math.Min(text.Length, MaxLength)))
        {
            if (c is >= ' ' and <= '~' and not '\\')
            {
                shown.Append(c);
            }
            else
            {
                shown.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            }
        }

        shown.Append('"');
        if (text.Length > MaxLength)
        {
            shown.Append(
                CultureInfo.InvariantCulture,
            $" ({text.Length} characters, {string.GetHashCode(text, StringComparison.Ordinal):x8})");
        }

        return shown.ToString();
    }

    public static string Text(byte[] bytes) => Text(Encoding.Latin1.GetString(bytes));

    /// <summary>What an exception is to whoever catches it by its type and asks it for its code.</summary>
    public static string Failure(Exception exception) => exception switch
    {
        Microsoft.AspNetCore.Http.BadHttpRequestException bad => $"BadHttpRequestException {bad.StatusCode}",
        OperationCanceledException => nameof(OperationCanceledException),

        // Kestrel's own kinds of it are not public, or made by the connection.
        IOException => nameof(IOException),
        _ => exception.GetType().Name,
    };
}
