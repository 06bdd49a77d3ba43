using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace GrpcShm.Differential;

/// <summary>All in which direct mode may differ from Kestrel over HTTP/2, with the reason. Keep it short.</summary>
internal static class DocumentedDifferences
{
    /// <summary>
    /// Headers of different names. Kestrel enumerates those that it knows in an order of its own and the others behind them;
    /// direct mode shows them as they came. Between names the order means nothing (RFC 9110, section 5.3); that of the values
    /// of one name does, and is compared.
    /// </summary>
    public static IEnumerable<KeyValuePair<string, StringValues>> Order(IHeaderDictionary headers) =>
        headers.OrderBy(static h => h.Key, StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// Headers that Kestrel adds to each response, of a gRPC call too, and that nobody there looks at: direct mode leaves them
    /// out, since they would be half of what a small call sends. What a handler sets itself is sent.
    /// </summary>
    public static bool IsOfServer(string responseHeader) =>
        responseHeader.Equals("Date", StringComparison.OrdinalIgnoreCase) || responseHeader.Equals("Server", StringComparison.OrdinalIgnoreCase);
}
