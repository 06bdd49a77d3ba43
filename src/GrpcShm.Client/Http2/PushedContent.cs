using System.Net;

namespace GrpcShm.Client.Http2;

/// <summary>
/// A request's content whose stream others may write to. If it fails, that has an end before the content has. Sent again, it is sent
/// whole or not at all.
/// </summary>
internal sealed class PushedContent : HttpContent
{
    private readonly HttpContent _content;
    private PushedContentStream? _body;

    /// <summary>Takes over a content.</summary>
    public PushedContent(HttpContent content)
    {
        _content = content;
        foreach (var (name, values) in content.Headers.NonValidated)
        {
            Headers.TryAddWithoutValidation(name, values);
        }
    }

    /// <summary>How often it has been sent, or begun to be.</summary>
    public int Attempts { get; private set; }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(
        Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        Attempts++;
        var body = new PushedContentStream(stream);
        if (_body is { } before && !before.TryHandOver(body))
        {
            throw new IOException("The server went away before it took the call, some of whose messages had been sent to it already.");
        }

        _body = body;
        try
        {
            await body.CopyFromAsync(_content, context, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await body.EndAsync().ConfigureAwait(false);
            throw;
        }
    }

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
}
