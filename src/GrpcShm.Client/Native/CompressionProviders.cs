using System.Buffers;
using System.IO.Compression;
using Grpc.Core;
using Grpc.Net.Compression;

namespace GrpcShm.Client.Native;

/// <summary>The compression providers of a channel, by the names of their encodings. Any thread.</summary>
internal sealed class CompressionProviders
{
    private const string Identity = "identity";
    private const int ChunkSize = 4096;

    private readonly Dictionary<string, ICompressionProvider> _byName = new(StringComparer.Ordinal);

    /// <param name="providers">The providers that the user has set; nothing for those of grpc-dotnet.</param>
    public CompressionProviders(IEnumerable<ICompressionProvider>? providers)
    {
        foreach (var provider in providers ?? CreateDefault())
        {
            _byName.TryAdd(provider.EncodingName, provider);
        }

        Accepted = string.Join(',', [Identity, .. _byName.Keys]);
    }

    /// <summary>The value of the header <c>grpc-accept-encoding</c>.</summary>
    public string Accepted { get; }

    /// <summary>Makes the exception for a message that is larger than allowed.</summary>
    public static RpcException CreateTooLarge() =>
        new(new Status(StatusCode.ResourceExhausted, "Received message exceeds the maximum configured message size."));

    /// <summary>Decompresses a message.</summary>
    /// <param name="encoding">The encoding that the sender has named; nothing if it has named none.</param>
    /// <param name="message">The compressed message.</param>
    /// <param name="maxSize">The largest result in bytes; nothing for any size.</param>
    /// <exception cref="RpcException">The encoding is not known, or the result is larger than allowed.</exception>
    public ReadOnlySequence<byte> Decompress(string? encoding, in ReadOnlySequence<byte> message, int? maxSize)
    {
        // A response without the header is one with 'identity', as in grpc-dotnet.
        if (encoding is null or Identity)
        {
            throw new RpcException(new Status(
                StatusCode.Internal, "Request sent 'identity' grpc-encoding value with compressed message."));
        }

        if (!_byName.TryGetValue(encoding, out var provider))
        {
            var supported = string.Join(", ", [Identity, .. _byName.Keys]);
            throw new RpcException(new Status(
                StatusCode.Unimplemented,
                $"Unsupported grpc-encoding value '{encoding}'. Supported encodings: {supported}"));
        }

        using var decompressed = provider.CreateDecompressionStream(new MemoryStream(message.ToArray()));
        var result = new ArrayBufferWriter<byte>();
        while (decompressed.Read(result.GetSpan(ChunkSize)) is var count and > 0)
        {
            if (result.WrittenCount + count > maxSize)
            {
                throw CreateTooLarge();
            }

            result.Advance(count);
        }

        return new ReadOnlySequence<byte>(result.WrittenMemory);
    }

    private static ICompressionProvider[] CreateDefault() =>
    [
        new GzipCompressionProvider(CompressionLevel.Fastest), new DeflateCompressionProvider(CompressionLevel.Fastest),
    ];
}
