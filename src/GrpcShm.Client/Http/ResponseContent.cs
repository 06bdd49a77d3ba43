using System.Net;

namespace GrpcShm.Client.Http;

/// <summary>The body of a response.</summary>
internal sealed class ResponseContent(ResponseStream stream) : HttpContent
{
    private bool _isConsumed;

    protected override Task SerializeToStreamAsync(Stream destination, TransportContext? context) =>
        SerializeToStreamAsync(destination, context, CancellationToken.None);

    protected override Task SerializeToStreamAsync(
        Stream destination, TransportContext? context, CancellationToken cancellationToken) =>
        Consume().CopyToAsync(destination, cancellationToken);

    protected override void SerializeToStream(
        Stream destination, TransportContext? context, CancellationToken cancellationToken) =>
        Consume().CopyTo(destination);

    protected override Task<Stream> CreateContentReadStreamAsync() => Task.FromResult<Stream>(Consume());

    protected override Stream CreateContentReadStream(CancellationToken cancellationToken) => Consume();

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            stream.Dispose();
        }

        base.Dispose(disposing);
    }

    private ResponseStream Consume()
    {
        if (_isConsumed)
        {
            throw new InvalidOperationException("The stream was already consumed. It cannot be read again.");
        }

        _isConsumed = true;
        return stream;
    }
}
