using System.IO.Compression;
using Grpc.Net.Compression;

namespace GrpcShm.TestHost.Services;

/// <summary>
/// Gzip that counts the messages it unpacks: the only place that knows of a single message whether it came compressed.
/// </summary>
public sealed class ObservedGzipProvider(Action onDecompress) : ICompressionProvider
{
    /// <inheritdoc/>
    public string EncodingName => "gzip";

    /// <inheritdoc/>
    public Stream CreateCompressionStream(Stream stream, CompressionLevel? compressionLevel) =>
        new GZipStream(stream, compressionLevel ?? CompressionLevel.Fastest, leaveOpen: true);

    /// <inheritdoc/>
    public Stream CreateDecompressionStream(Stream stream)
    {
        onDecompress();
        return new GZipStream(stream, CompressionMode.Decompress);
    }
}
