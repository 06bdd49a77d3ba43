using System.IO.Compression;
using Grpc.Net.Compression;

namespace GrpcShm.TestHost.Services;

/// <summary>
/// Gzip that counts the messages that it decompresses. Only here a test can see whether a single message was
/// compressed.
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
