using System.Buffers;
using System.IO.Compression;
using Grpc.Core;
using Grpc.Net.Compression;

namespace GrpcShm.Messages;

/// <summary>
/// The compression providers of a channel, or of a service, by the names of their encodings. Any thread.
/// </summary>
/// <remarks>Compiled into the libraries of both sides.</remarks>
internal class CompressionProviders
{
    public const string Identity = "identity";
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

    /// <summary>Makes the exception for a message that no array can hold.</summary>
    /// <param name="length">The length that its sender says, in bytes.</param>
    public virtual Exception CreateOversized(uint length) => new InvalidDataException("Message too large.");

    /// <summary>Finds a provider; nothing if there is none of that name.</summary>
    public ICompressionProvider? Find(string encoding) => _byName.GetValueOrDefault(encoding);

    /// <summary>Decompresses a message.</summary>
    /// <param name="encoding">The encoding that the sender has named; nothing if it has named none.</param>
    /// <param name="message">The compressed message.</param>
    /// <param name="maxSize">The largest result in bytes; nothing for any size.</param>
    /// <exception cref="RpcException">The encoding is not known, or the result is larger than allowed.</exception>
    public ReadOnlySequence<byte> Decompress(string? encoding, in ReadOnlySequence<byte> message, int? maxSize)
    {
        encoding ??= OfMissing();
        if (encoding == Identity)
        {
            throw new RpcException(new Status(
                StatusCode.Internal, "Request sent 'identity' grpc-encoding value with compressed message."));
        }

        if (!_byName.TryGetValue(encoding, out var provider))
        {
            throw new RpcException(new Status(
                StatusCode.Unimplemented,
                $"Unsupported grpc-encoding value '{encoding}'. Supported encodings: {Accepted.Replace(",", ", ")}"));
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

    /// <summary>
    /// The encoding of a message whose sender has named none: 'identity', as in grpc-dotnet's client.
    /// </summary>
    protected virtual string OfMissing() => Identity;

    private static ICompressionProvider[] CreateDefault() =>
    [
        new GzipCompressionProvider(CompressionLevel.Fastest), new DeflateCompressionProvider(CompressionLevel.Fastest),
    ];
}
