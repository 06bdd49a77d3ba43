using System.Globalization;
using System.Text.RegularExpressions;
using System.Text.Unicode;

namespace GrpcShm.Differential.Requests;

/// <summary>
/// The requests that direct mode carries, by its documentation and not by its code. Direct mode must accept these
/// requests if Kestrel does. It may refuse all others.
/// </summary>
internal static partial class Acceptability
{
    // Kestrel's MaxRequestHeaderCount; headers and trailers count together.
    private const int MostFields = 100;

    private static readonly string[] Forbidden =
        ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "host"];

    public static bool IsAcceptable(GeneratedRequest request)
    {
        var fields = request.Fields;
        return HasOne(fields, ":method", static v => v == "POST")
            && HasOne(fields, ":scheme", static v => v == "http")
            && HasOne(fields, ":path", IsPath)
            && HasOne(fields, ":authority", static v => v.Length > 0)
            && fields.Count(static f => f.IsPseudo) == 4
            && fields.Take(4).All(static f => f.IsPseudo)
            && HasOne(fields, "content-type", static v => ContentType().IsMatch(v))
            && HasOne(fields, "te", static v => v == "trailers")
            && fields.All(static f => f.NameText != "content-length" || Length().IsMatch(f.ValueText))
            && fields.All(static f => f.IsPseudo || Name().IsMatch(f.NameText))
            && !fields.Any(static f => Forbidden.Contains(f.NameText, StringComparer.OrdinalIgnoreCase));
    }

    /// <summary>
    /// True if direct mode resets the call because of its trailers, also when the application already runs: they have
    /// forbidden characters, contain the host, or are too many. For forbidden characters Kestrel does not check, or
    /// ends its connection. The application may be at any point by then, on both sides.
    /// </summary>
    public static bool HasBadTrailers(GeneratedRequest request) =>
        request.Fields.Count + request.Trailers?.Count > MostFields
        || (request.Trailers?.Any(static t => !Name().IsMatch(t.NameText)
            || Forbidden.Contains(t.NameText)
            || t.ValueText.AsSpan().ContainsAny('\0', '\r', '\n')
            || !Utf8.IsValid(t.Value)) ?? false);

    /// <summary>
    /// True if the length of a body differs from its content-length. Both sides reset such a call, and the application
    /// may have seen any part of it by then.
    /// </summary>
    public static bool HasWrongLength(GeneratedRequest request) =>
        request.Fields.Any(f => f.NameText == "content-length"
            && long.TryParse(f.ValueText, NumberStyles.None, CultureInfo.InvariantCulture, out var length)
            && (length < request.BodyLength || (length > request.BodyLength && request.Ending != Ending.Reset)));

    private static bool HasOne(IReadOnlyList<Field> fields, string name, Func<string, bool> isValid)
    {
        var all = fields.Where(f => f.NameText.Equals(name, StringComparison.OrdinalIgnoreCase)).ToList();
        return all.Count == 1 && isValid(all[0].ValueText);
    }

    private static bool IsPath(string path) =>
        Path().IsMatch(path) && path.Split('/').All(static s => s is not ("." or ".."));

    [GeneratedRegex(@"\A[a-z0-9!#$%&'*+\-.^_`|~]+\z", RegexOptions.CultureInvariant)]
    private static partial Regex Name();

    // Only digits. Kestrel also accepts a plus sign and spaces.
    [GeneratedRegex(@"\A(0|[1-9][0-9]*)\z", RegexOptions.CultureInvariant)]
    private static partial Regex Length();

    [GeneratedRegex(@"\A(/[A-Za-z0-9\-._~]+){2,}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Path();

    [GeneratedRegex(@"\Aapplication/grpc([+;].*)?\z", RegexOptions.CultureInvariant | RegexOptions.Singleline)]
    private static partial Regex ContentType();
}
