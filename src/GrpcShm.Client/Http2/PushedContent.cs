using System.Net;

namespace GrpcShm.Client.Http2;

/// <summary>A request's content whose stream others write to. If it fails, that has an end before the content has.</summary>
internal sealed class PushedContent : HttpContent
{
    private readonly HttpContent _content;

    /// <summary>Takes over a content.</summary>
    public PushedContent(HttpContent content)
    {
        _content = content;
        foreach (var (name, values) in content.Headers.NonValidated)
        {
            Headers.TryAddWithoutValidation(name, values);
        }
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(
        Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        var body = new PushedContentStream(stream);
        try
        {
            await _content.CopyToAsync(body, context, cancellationToken).ConfigureAwait(false);
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
