using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using GrpcShm.Conformance.Tests.Harness;
using GrpcShm.TestHost;
using GrpcShm.TestHost.Contracts;

namespace GrpcShm.Conformance.Tests.Suite;

/// <summary>The four kinds of call, and messages of every size.</summary>
public abstract partial class TransportConformance
{
    private const int KiB = 1024;
    private const int MiB = 1024 * KiB;

    // Sizes that are no multiple of a buffer or a window, as in the gRPC project's own tests.
    private static readonly int[] RequestSizes = [27182, 8, 1828, 45904];
    private static readonly int[] ResponseSizes = [31415, 9, 2653, 58979];

    [Fact]
    public async Task Nothing_EmptyUnary_ReturnsEmpty() =>
        Assert.Equal(new Empty(), await Client.NothingAsync(new Empty(), Call()).InTime());

    [Fact]
    public async Task Unary_LargeUnary_ReturnsWhatWasAskedFor()
    {
        var request = new UnaryRequest { Body = TestBody.Create(NewPiece(271828)), Response = NewPiece(314159) };

        var response = await Client.UnaryAsync(request, Call()).InTime();

        Assert.Equal(TestBody.Hash(request.Body), response.RequestHash);
        Assert.Equal(TestBody.Create(request.Response), response.Body);
    }

    [Fact]
    public async Task Collect_ClientStreaming_ServerSeesAllInOrder()
    {
        using var call = Client.Collect(Call());
        var all = new MemoryStream();
        foreach (var size in RequestSizes)
        {
            var body = TestBody.Create(NewPiece(size));
            body.WriteTo(all);
            await call.RequestStream.WriteAsync(new CollectRequest { Body = body }, TestToken).InTime();
        }

        await call.RequestStream.CompleteAsync().InTime();
        var response = await call.InTime();

        Assert.Equal(RequestSizes.Length, response.Messages);
        Assert.Equal(RequestSizes.Sum(), response.TotalSize);
        Assert.Equal(TestBody.Hash(Google.Protobuf.ByteString.CopyFrom(all.ToArray())), response.Hash);
    }

    [Fact]
    public async Task Produce_ServerStreaming_ClientSeesAllInOrder()
    {
        var pieces = ResponseSizes.Select(NewPiece).ToList();
        using var call = Client.Produce(new ProduceRequest { Pieces = { pieces } }, Call());

        var responses = await ReadAllAsync(call.ResponseStream);

        Assert.Equal(pieces.Select(TestBody.Create), responses.Select(response => response.Body));
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task Converse_PingPong_EveryRequestIsAnsweredBeforeTheNext()
    {
        using var call = Client.Converse(Call());
        foreach (var (requestSize, responseSize) in RequestSizes.Zip(ResponseSizes))
        {
            var request = new ConverseRequest
            {
                Body = TestBody.Create(NewPiece(requestSize)),
                Pieces = { NewPiece(responseSize) },
            };
            await call.RequestStream.WriteAsync(request, TestToken).InTime();

            Assert.True(await call.ResponseStream.MoveNext(TestToken).InTime());
            Assert.Equal(TestBody.Hash(request.Body), call.ResponseStream.Current.RequestHash);
            Assert.Equal(TestBody.Create(request.Pieces[0]), call.ResponseStream.Current.Body);
        }

        await call.RequestStream.CompleteAsync().InTime();
        Assert.False(await call.ResponseStream.MoveNext(TestToken).InTime());
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task Converse_EmptyStream_EndsWithOk()
    {
        using var call = Client.Converse(Call());
        await call.RequestStream.CompleteAsync().InTime();

        Assert.Empty(await ReadAllAsync(call.ResponseStream));
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task Collect_EmptyStream_IsAnswered()
    {
        using var call = Client.Collect(Call());
        await call.RequestStream.CompleteAsync().InTime();

        Assert.Equal(0, (await call.InTime()).Messages);
    }

    [Fact]
    public async Task Produce_EmptyStream_EndsWithOk()
    {
        using var call = Client.Produce(new ProduceRequest(), Call());

        Assert.Empty(await ReadAllAsync(call.ResponseStream));
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(KiB)]
    [InlineData(64 * KiB)]
    [InlineData(MiB)]
    [InlineData(4 * MiB)]
    [InlineData(64 * MiB)]
    public async Task Unary_OfSize_ArrivesUnchangedBothWays(int size)
    {
        var request = new UnaryRequest { Body = TestBody.Create(NewPiece(size)), Response = NewPiece(size) };

        var response = await Client.UnaryAsync(request, Call()).InTime();

        Assert.Equal(TestBody.Hash(request.Body), response.RequestHash);
        Assert.Equal(TestBody.Hash(TestBody.Create(request.Response)), TestBody.Hash(response.Body));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(64 * KiB)]
    [InlineData(4 * MiB)]
    public async Task Converse_ManyMessagesOfSize_ArriveUnchangedBothWaysAtOnce(int size)
    {
        const int Messages = 8;
        var pieces = Enumerable.Range(0, Messages).Select(_ => NewPiece(size)).ToList();
        using var call = Client.Converse(Call());

        // Neither side waits for the other: both directions are full at the same time.
        var reading = ReadAllAsync(call.ResponseStream);
        foreach (var piece in pieces)
        {
            var request = new ConverseRequest { Body = TestBody.Create(piece), Pieces = { piece } };
            await call.RequestStream.WriteAsync(request, TestToken).InTime();
        }

        await call.RequestStream.CompleteAsync().InTime();

        var expected = pieces.Select(piece => TestBody.Hash(TestBody.Create(piece))).ToList();
        var responses = await reading.InTime();
        Assert.Equal(expected, responses.Select(response => response.RequestHash));
        Assert.Equal(expected, responses.Select(response => TestBody.Hash(response.Body)));
    }
}
