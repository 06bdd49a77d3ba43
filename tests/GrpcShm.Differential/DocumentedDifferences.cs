using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace GrpcShm.Differential;

/// <summary>
/// All differences that are allowed between direct mode and Kestrel over HTTP/2, each with the reason. Keep it short.
/// </summary>
internal static class DocumentedDifferences
{
    /// <summary>
    /// Headers that Kestrel adds to each response, and that no gRPC client reads. Direct mode leaves them out, since
    /// they would be half of the bytes of a small call. It sends them if a handler sets them itself.
    /// </summary>
    public static bool IsOfServer(string responseHeader) =>
        responseHeader.Equals("Date", StringComparison.OrdinalIgnoreCase)
        || responseHeader.Equals("Server", StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// A body after a content-length of 0. If a handler fails before its response has started, Kestrel sends the bytes
    /// that the handler had written into the pipe after the headers of the error. Direct mode drops them.
    /// </summary>
    public static bool HasBody(System.Net.Http.Headers.HttpContentHeaders headers) =>
        !headers.NonValidated.TryGetValues("Content-Length", out var length) || length.ToString() != "0";

    /// <summary>
    /// The same with more bytes than the client takes at once. Kestrel is then still sending the response when its
    /// handler resets it. In direct mode the error response was complete before.
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
    /// A response that Kestrel itself never ends, for example a response with a length and a status that allows no
    /// content. Or a response that Kestrel breaks off after it has refused the content of such a status; direct mode
    /// answers with an error.
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
    /// The result of a write after the writer was completed and the handler has broken off the response. Kestrel drops
    /// the data, direct mode says that the writer is completed.
    /// </summary>
    public static bool IsOver(bool isCompleted, bool isBrokenOff) => isCompleted && isBrokenOff;

    /// <summary>
    /// A length together with a transfer coding, which HTTP/2 does not have. Kestrel drops the coding and does not
    /// check the body against the length, so the response may be invalid. Direct mode checks it, and the handler gets
    /// the error.
    /// </summary>
    public static bool HasTwoLengths(Responses.ResponseScript script) =>
        script.Steps.Any(static s => s.Name.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase))
        && script.Steps.Any(static s => s.Action == Responses.ResponseAction.SetContentLength
            || s.Name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase));

    /// <summary>
    /// The result of BodyWriter.WriteAsync without bytes: Kestrel says that the reader has ended, which is wrong.
    /// </summary>
    public static bool HasResult(int bytesWritten) => bytesWritten > 0;

    /// <summary>
    /// The result of a write of many bytes: the client may read the beginning, find that it is no valid response, and
    /// reset the call before the write ends, or after it.
    /// </summary>
    public static bool MayBeBrokenOff(int bytesInAll) => bytesInAll >= 50_000;

    /// <summary>
    /// The error for an invalid answer of the server, for example for a status of 101. The client over sockets has two
    /// errors for it, and reports the one that it meets first. A gRPC channel gives the same status for both. After a
    /// status below 200 the client over sockets waits for another one, and may get a reset instead. For a status of
    /// more than three digits it reports the status or the reset after it.
    /// </summary>
    public static bool IsInvalidResponse(Responses.ResponseScript script, HttpRequestError? error, long? code) =>
        error == HttpRequestError.InvalidResponse
        || (error == HttpRequestError.HttpProtocolError
            && (code == 1 || script.Sets(static status => status is < StatusCodes.Status200OK or > 999)));

    /// <summary>
    /// A trailer of a request without a value. Kestrel drops it, and direct mode shows it. So other trailers of the
    /// same name may have another place among the trailers.
    /// </summary>
    public static IEnumerable<KeyValuePair<string, StringValues>> Order(IHeaderDictionary trailers) =>
        trailers.OrderBy(static t => t.Key, StringComparer.OrdinalIgnoreCase);

    /// <inheritdoc cref="Order"/>
    public static bool IsShown(string trailerValue) => trailerValue.Length > 0;

    /// <summary>
    /// A block of headers that is larger than the protocol of direct mode allows. In direct mode it ends the
    /// connection, as a broken frame does. Kestrel ends its connection already for a block of half this size.
    /// </summary>
    public static bool IsBeyondProtocol(Requests.GeneratedRequest request) =>
        request.Fields.Concat(request.Trailers ?? []).Sum(static f => f.Name.Length + f.Value.Length + 8L) > 64 * 1024;
}
