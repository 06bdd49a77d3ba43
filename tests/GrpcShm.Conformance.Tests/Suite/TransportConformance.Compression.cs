using Grpc.Core;
using GrpcShm.Conformance.Tests.Harness;
using GrpcShm.TestHost;
using GrpcShm.TestHost.Contracts;
using GrpcShm.TestHost.Services;

namespace GrpcShm.Conformance.Tests.Suite;

/// <summary>Compression of single messages: each decompression is counted.</summary>
public abstract partial class TransportConformance
{
    private static Metadata Compressed => new() { { MetadataKeys.RequestCompression, "gzip" } };

    [Fact]
    public async Task ClientCompressedUnary_ServerSeesWhatWasCompressed()
    {
        var request = new UnaryRequest { Body = TestBody.Create(NewPiece(271828)), ExpectCompressed = true };

        // This shows that the server can tell the difference: it refuses a message that should be compressed and is
        // not.
        var refusal = await Client.UnaryAsync(request, Call()).FailsInTime();
        Assert.Equal(StatusCode.InvalidArgument, refusal.StatusCode);

        var response = await Client.UnaryAsync(request, Call(Compressed)).InTime();
        Assert.Equal(TestBody.Hash(request.Body), response.RequestHash);

        request.ExpectCompressed = false;
        response = await Client.UnaryAsync(request, Call()).InTime();
        Assert.Equal(TestBody.Hash(request.Body), response.RequestHash);
    }

    [Fact]
    public async Task ClientCompressedStreaming_ServerSeesWhichMessagesWereCompressed()
    {
        using (var probe = Client.Collect(Call()))
        {
            await probe.RequestStream.WriteAsync(new CollectRequest { ExpectCompressed = true }, TestToken).InTime();
            Assert.Equal(StatusCode.InvalidArgument, (await probe.ResponseAsync.FailsInTime()).StatusCode);
        }

        using var call = Client.Collect(Call(Compressed));
        await WriteAsync(27182, compress: true);
        await WriteAsync(45904, compress: false);
        await WriteAsync(1, compress: true);
        await call.RequestStream.CompleteAsync().InTime();

        Assert.Equal(27182 + 45904 + 1, (await call.InTime()).TotalSize);

        Task WriteAsync(int size, bool compress)
        {
            call.RequestStream.WriteOptions = compress ? null : new WriteOptions(WriteFlags.NoCompress);
            var request = new CollectRequest { Body = TestBody.Create(NewPiece(size)), ExpectCompressed = compress };
            return call.RequestStream.WriteAsync(request, TestToken).InTime();
        }
    }

    [Fact]
    public async Task ServerCompressedUnary_ClientUnpacksWhatWasCompressed()
    {
        var unpacked = 0;
        using var channel = Server.CreateChannel(new()
        {
            ConfigureChannel = options => options.CompressionProviders = [new ObservedGzipProvider(() => unpacked++)],
        });
        var client = new TestService.TestServiceClient(channel);
        var piece = NewPiece(314159);

        var plain = await client.UnaryAsync(new UnaryRequest { Response = piece }, Call()).InTime();
        Assert.Equal(0, unpacked);

        var request = new UnaryRequest { Response = new Piece(piece) { Compress = true } };
        var compressed = await client.UnaryAsync(request, Call()).InTime();
        Assert.Equal(1, unpacked);
        Assert.Equal(TestBody.Create(piece), plain.Body);
        Assert.Equal(TestBody.Create(piece), compressed.Body);
    }

    [Fact]
    public async Task ServerCompressedStreaming_ClientUnpacksWhatWasCompressed()
    {
        var unpacked = 0;
        using var channel = Server.CreateChannel(new()
        {
            ConfigureChannel = options => options.CompressionProviders = [new ObservedGzipProvider(() => unpacked++)],
        });
        var pieces = ResponseSizes.Select(NewPiece).ToList();
        pieces[0].Compress = true;
        pieces[3].Compress = true;

        using var call = new TestService.TestServiceClient(channel).Produce(
            new ProduceRequest { Pieces = { pieces } }, Call());
        var responses = await ReadAllAsync(call.ResponseStream);

        Assert.Equal(2, unpacked);
        Assert.Equal(pieces.Select(TestBody.Create), responses.Select(response => response.Body));
    }
}
