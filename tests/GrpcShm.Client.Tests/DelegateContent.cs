using System.Net;

namespace GrpcShm.Client.Tests;

/// <summary>A content that a function of a test writes.</summary>
internal sealed class DelegateContent(Func<Stream, CancellationToken, Task> write) : HttpContent
{
    public DelegateContent(Func<Stream, Task> write)
        : this((stream, _) => write(stream))
    {
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        write(stream, CancellationToken.None);

    protected override Task SerializeToStreamAsync(
        Stream stream, TransportContext? context, CancellationToken cancellationToken) =>
        write(stream, cancellationToken);

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
