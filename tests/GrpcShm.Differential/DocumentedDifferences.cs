using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace GrpcShm.Differential;

/// <summary>All in which direct mode may differ from Kestrel over HTTP/2, with the reason. Keep it short.</summary>
internal static class DocumentedDifferences
{
    /// <summary>
    /// Headers that Kestrel adds to each response, of a gRPC call too, and that nobody there looks at: direct mode
    /// leaves them out, since they would be half of what a small call sends. What a handler sets itself is sent.
    /// </summary>
    public static bool IsOfServer(string responseHeader) =>
        responseHeader.Equals("Date", StringComparison.OrdinalIgnoreCase)
        || responseHeader.Equals("Server", StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// A body behind a content-length of 0. Where a handler fails before its response has started, Kestrel sends what
    /// it had written into the pipe behind the headers of the error; direct mode drops that.
    /// </summary>
    public static bool HasBody(System.Net.Http.Headers.HttpContentHeaders headers) =>
        !headers.NonValidated.TryGetValues("Content-Length", out var length) || length.ToString() != "0";

    /// <summary>
    /// The same, and more of it than the client takes at once: then the response is still under way in Kestrel when its
    /// handler resets it. In direct mode the error was whole before.
    /// </summary>
    public static bool IsCutOff(Responses.ResponseScript script)
    {
        var failed = script.Steps.Index()
            .FirstOrDefault(
                static s => s.Item.Action == Responses.ResponseAction.CompletePipeWithError, (-1, null!)).Index;
        return failed >= 0
            && script.Steps.Take(failed)
                .Where(static s => s.Action == Responses.ResponseAction.FillPipe)
                .Sum(static s => s.Number) > 65_535
            && script.Steps.Skip(failed)
                .Any(static s => s.Action is Responses.ResponseAction.Reset or Responses.ResponseAction.Abort);
    }

    /// <summary>
    /// A response that Kestrel itself never ends, for example one of a status without content for which a length has
    /// been set; or which it breaks off after it has refused the content of such a status, where direct mode answers
    /// with an error.
    /// </summary>
    public static bool IsUnanswered(Responses.ResponseScript script, string byKestrel) =>
        byKestrel.EndsWith("no end\n", StringComparison.Ordinal)
        || (script.Sets(static status => status
                is < StatusCodes.Status200OK
                or StatusCodes.Status204NoContent
                or StatusCodes.Status205ResetContent)
            && (byKestrel.EndsWith(" HttpProtocolError 2\n", StringComparison.Ordinal)
                || byKestrel.EndsWith("no valid response\n", StringComparison.Ordinal)));

    /// <summary>
    /// What a writer says that has been completed and whose response has been broken off by its handler: Kestrel drops
    /// what is written there, direct mode says that it is completed.
    /// </summary>
    public static bool IsOver(bool isCompleted, bool isBrokenOff) => isCompleted && isBrokenOff;

    /// <summary>
    /// A length beside a transfer coding, which HTTP/2 does not have. Kestrel drops the coding, and does not hold the
    /// body to the length, so that the response may be none. Direct mode holds it to that: the handler learns of it.
    /// </summary>
    public static bool HasTwoLengths(Responses.ResponseScript script) =>
        script.Steps.Any(static s => s.Name.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase))
        && script.Steps.Any(static s => s.Action == Responses.ResponseAction.SetContentLength
            || s.Name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase));

    /// <summary>
    /// What BodyWriter.WriteAsync of no bytes tells its caller: Kestrel says that nobody reads any more, which is not
    /// so.
    /// </summary>
    public static bool HasResult(int bytesWritten) => bytesWritten > 0;

    /// <summary>
    /// What a writer tells its caller of so many bytes that its client may have gone meanwhile: the client may read the
    /// beginning, find that it is no response, and say so before the end is written, or after it.
    /// </summary>
    public static bool MayBeBrokenOff(int bytesInAll) => bytesInAll >= 50_000;

    /// <summary>
    /// Which of two errors says that the server's answer is none, for example for a status of 101: the client for
    /// sockets has the one or the other, by what of it it comes upon first. A gRPC channel makes the same status of
    /// both. After a status below 200 the client for sockets waits for another, and so hears of a reset that comes
    /// instead; and of one of more than three digits it hears as soon as it looks, or of the reset behind it.
    /// </summary>
    public static bool IsInvalidResponse(Responses.ResponseScript script, HttpRequestError? error, long? code) =>
        error == HttpRequestError.InvalidResponse
        || (error == HttpRequestError.HttpProtocolError
            && (code == 1 || script.Sets(static status => status is < StatusCodes.Status200OK or > 999)));

    /// <summary>
    /// A request's trailer without a value. Kestrel drops it; direct mode shows it, so that others of its name may
    /// stand elsewhere among those of other names.
    /// </summary>
    public static IEnumerable<KeyValuePair<string, StringValues>> Order(IHeaderDictionary trailers) =>
        trailers.OrderBy(static t => t.Key, StringComparer.OrdinalIgnoreCase);

    /// <inheritdoc cref="Order"/>
    public static bool IsShown(string trailerValue) => trailerValue.Length > 0;

    /// <summary>
    /// A block of headers that is larger than the protocol of direct mode allows, which ends the connection there as a
    /// broken frame does. Kestrel ends its own for one that is half as large.
    /// </summary>
    public static bool IsBeyondProtocol(Requests.GeneratedRequest request) =>
        request.Fields.Concat(request.Trailers ?? []).Sum(static f => f.Name.Length + f.Value.Length + 8L) > 64 * 1024;
}
