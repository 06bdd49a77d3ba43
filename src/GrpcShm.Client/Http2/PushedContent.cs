using System.Net;

namespace GrpcShm.Client.Http2;

/// <summary>
/// A request's content whose stream other code may write to. If the content fails, its last write has ended before
/// that. <see cref="SocketsHttpHandler"/> sends a refused request again: then this content is sent whole, or the
/// request fails. The headers have gone by then, so the next server may begin the call and see it cancelled.
/// </summary>
internal sealed class PushedContent : HttpContent
{
    private readonly HttpContent _content;
    private PushedContentStream? _body;
    private string? _firstHeader;

    /// <summary>Takes over a content.</summary>
    public PushedContent(HttpContent content)
    {
        _content = content;
        foreach (var (name, values) in content.Headers.NonValidated)
        {
            Headers.TryAddWithoutValidation(name, values);
        }
    }

    /// <summary>The number of times that the handler has begun to write the headers in this round.</summary>
    public int Attempts { get; private set; }

    /// <summary>
    /// True if all bytes can be sent, once more if they were sent before. Asked between two attempts. An answer that
    /// comes too early does no harm, since the next attempt finds out.
    /// </summary>
    public bool CanBeSent => _body is null or { CanRepeat: true };

    /// <summary>Begins a round: the handler is asked to send the request.</summary>
    public void BeginRound() => Attempts = 0;

    /// <summary>
    /// Notes that the handler writes a header of the request. It writes them in the same order each time.
    /// </summary>
    public void NoteHeader(string name)
    {
        _firstHeader ??= name;
        if (name == _firstHeader)
        {
            Attempts++;
        }
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(
        Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        var before = _body;
        if (before is { CanRepeat: false })
        {
            throw CreateException();
        }

        var body = new PushedContentStream(stream);
        _body = body;
        try
        {
            var copy = body.CopyFrom(_content, context, cancellationToken);
            if (before is { WroteItself: true } && !body.WroteItself)
            {
                // The content of a gRPC call with a retry policy does so: it counts its bytes, and skips those that it
                // has written before.
                _ = copy.ContinueWith(
                    static failed => failed.Exception,
                    CancellationToken.None,
                    TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
                    TaskScheduler.Default);
                throw CreateException();
            }

            await copy.ConfigureAwait(false);
        }
        catch
        {
            await body.EndAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>
    /// Lets the content write by itself: it does so on the caller's thread, so no other code can write meanwhile.
    /// </summary>
    protected override void SerializeToStream(
        Stream stream, TransportContext? context, CancellationToken cancellationToken) =>
        _content.CopyTo(stream, context, cancellationToken);

    protected override bool TryComputeLength(out long length)
    {
        length = _content.Headers.ContentLength.GetValueOrDefault();
        return _content.Headers.ContentLength is not null;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _content.Dispose();
        }

        base.Dispose(disposing);
    }

    private static IOException CreateException() =>
        new("The server went away before it took the call, whose messages cannot be sent to another one again.");
}
