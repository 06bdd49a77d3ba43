using System.Net;

namespace GrpcShm.Client.Http2;

/// <summary>
/// A request's content whose stream others may write to. If it fails, that has an end before the content has. If it is
/// to be sent again, as <see cref="SocketsHttpHandler"/> does with a request that was refused, it is sent whole, or the
/// request fails: its headers have gone by then, so the next server may begin the call and see it cancelled.
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

    /// <summary>How often the handler has begun to write the request's headers in this round.</summary>
    public int Attempts { get; private set; }

    /// <summary>The handler is asked to send the request.</summary>
    public void BeginRound() => Attempts = 0;

    /// <summary>The handler writes a header of the request. It does so in the same order each time.</summary>
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
                // So does gRPC's content of a call with a retry policy, which counts what it has written.
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
    /// As the content does it by itself: whoever writes has the caller's thread, so nobody else can push.
    /// </summary>
    protected override void SerializeToStream(Stream stream, TransportContext? context, CancellationToken cancellationToken) =>
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
