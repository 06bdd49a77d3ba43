using System.Globalization;
using System.Text;

namespace GrpcShm.Differential.Hosting;

/// <summary>
/// Text in a form that can be compared and printed: characters other than printable ASCII are escaped.
/// </summary>
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

    /// <summary>The type and the code of an exception, as code that catches it can see them.</summary>
    public static string Failure(Exception exception) => exception switch
    {
        Microsoft.AspNetCore.Http.BadHttpRequestException bad => $"BadHttpRequestException {bad.StatusCode}",
        OperationCanceledException => nameof(OperationCanceledException),

        // Kestrel's own types are not public, or the connection makes them.
        IOException => nameof(IOException),
        _ => exception.GetType().Name,
    };
}
