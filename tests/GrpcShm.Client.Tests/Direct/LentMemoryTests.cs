using System.Buffers;
using System.IO.Pipelines;
using Grpc.Core;
using GrpcShm.Messages;
using GrpcShm.Transport.Calls;

namespace GrpcShm.Client.Tests.Direct;

/// <summary>A message that is sent from the memory in which it lies. The lender learns when that is over.</summary>
public sealed class LentMemoryTests
{
    private const int Size = 3 * 1024 * 1024;

    private static readonly byte[] Content = CreateContent();

    private static CancellationToken TestToken => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    public async Task Message_ThatIsLent_ComesAsItIs(int pieces)
    {
        var memory = new Memory(pieces);
        await using var server = new FakeServer(async call =>
        {
            await call.ReadWholeAsync();
            Responses.SetGrpcHeaders(call);
            memory.Write(call.Output);
            call.SetTrailers(("grpc-status", "0"));
            call.EndOutput();
        });
        using var channel = await server.CreateNativeChannelAsync();

        Assert.Equal(Content, await channel.CreateCallInvoker().CallAsync([1]));

        await memory.LeftAsync();
    }

    [Fact]
    public async Task Memory_OfWhatCannotBeSentYet_IsUsedUntilItIsSent()
    {
        var memory = new Memory(3);
        var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new FakeServer(async call =>
        {
            Responses.SetGrpcHeaders(call);
            memory.Write(call.Output);
            call.SetTrailers(("grpc-status", "0"));
            call.EndOutput();
            written.SetResult();
        });
        using var channel = await server.CreateNativeChannelAsync();
        using var call = Begin(channel);
        await written.Task.InTime();

        // Nobody reads, and the window of the call is smaller.
        Assert.Equal(0, memory.Left);

        Assert.True(await call.ResponseStream.MoveNext(TestToken).InTime());
        Assert.Equal(Content, call.ResponseStream.Current);
        await memory.LeftAsync();
        Assert.False(await call.ResponseStream.MoveNext(TestToken).InTime());
    }

    [Fact]
    public async Task Memory_OfACallThatIsGivenUp_IsLeft()
    {
        var memory = new Memory(3);
        var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new FakeServer(call =>
        {
            Responses.SetGrpcHeaders(call);
            memory.Write(call.Output);
            call.EndOutput();
            written.SetResult();
            return Task.CompletedTask;
        });
        using var channel = await server.CreateNativeChannelAsync();
        using (Begin(channel))
        {
            await written.Task.InTime();
            Assert.Equal(0, memory.Left);
        }

        await memory.LeftAsync();
    }

    [Fact]
    public async Task Memory_OfACancelledFlush_IsLeftAndTheMessageComesAllTheSame()
    {
        var memory = new Memory(3);
        var left = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new FakeServer(async call =>
        {
            Responses.SetGrpcHeaders(call);
            memory.Write(call.Output);
            using var source = new CancellationTokenSource();
            var flush = call.Output.FlushAsync(source.Token);
            await source.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => flush.AsTask().InTime());
            left.SetResult(memory.Left);
            call.SetTrailers(("grpc-status", "0"));
            call.EndOutput();
        });
        using var channel = await server.CreateNativeChannelAsync();
        using var call = Begin(channel);
        Assert.Equal(1, await left.Task.InTime());

        Assert.True(await call.ResponseStream.MoveNext(TestToken).InTime());
        Assert.Equal(Content, call.ResponseStream.Current);
        Assert.Equal(1, memory.Left);
    }

    [Fact]
    public async Task Memory_OfARequestWhoseCallIsAnswered_IsLeftBeforeTheCallerLearnsOfIt()
    {
        // The server never reads the request, whose window is smaller.
        await using var server = new FakeServer(call =>
        {
            call.SetHeaders((":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "5"));
            call.EndOutput();
            return Task.CompletedTask;
        });
        using var channel = await server.CreateNativeChannelAsync();
        var method = new Method<Memory, byte[]>(
            MethodType.Unary,
            "test.Fake",
            "Unary",
            Marshallers.Create<Memory>(static (memory, context) => memory.Write(context), static _ => null!),
            Marshallers.Create(static bytes => bytes, static bytes => bytes));
        for (var i = 0; i < 100; i++)
        {
            var memory = new Memory(2);
            var call = channel.CreateCallInvoker().AsyncUnaryCall(method, null, Responses.CallOptions, memory);

            var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync.InTime());

            Assert.Equal(StatusCode.NotFound, failure.StatusCode);
            Assert.Equal(1, memory.Left);
        }
    }

    [Fact]
    public async Task Memory_OfAStreamThatFails_IsLeftBeforeItsWriterLearnsOfIt()
    {
        await using var server = new FakeServer(static call => Task.CompletedTask);
        using var channel = await server.CreateNativeChannelAsync();
        var method = new Method<Memory, byte[]>(
            MethodType.DuplexStreaming,
            "test.Fake",
            "Duplex",
            Marshallers.Create<Memory>(static (memory, context) => memory.Write(context), static _ => null!),
            Marshallers.Create(static bytes => bytes, static bytes => bytes));
        using var call = channel.CreateCallInvoker().AsyncDuplexStreamingCall(method, null, Responses.CallOptions);
        var memory = new Memory(2);
        var write = call.RequestStream.WriteAsync(memory, TestToken);
        Assert.Equal(0, memory.Left);

        await (await server.AcceptedAsync()).DisposeAsync();

        await Assert.ThrowsAsync<RpcException>(() => write.InTime());
        Assert.Equal(1, memory.Left);
    }

    [Fact]
    public async Task Messages_ThatFollowWithoutAFlush_ComeInOrder()
    {
        var memories = Enumerable.Range(0, 4).Select(static _ => new Memory(2)).ToList();
        await using var server = new FakeServer(call =>
        {
            Responses.SetGrpcHeaders(call);
            foreach (var memory in memories)
            {
                memory.Write(call.Output);
                call.Output.Write(Responses.Message([5]));
            }

            call.SetTrailers(("grpc-status", "0"));
            call.EndOutput();
            return Task.CompletedTask;
        });
        using var channel = await server.CreateNativeChannelAsync();
        using var call = Begin(channel);

        for (var i = 0; i < memories.Count; i++)
        {
            Assert.True(await call.ResponseStream.MoveNext(TestToken).InTime());
            Assert.Equal(Content, call.ResponseStream.Current);
            Assert.True(await call.ResponseStream.MoveNext(TestToken).InTime());
            Assert.Equal([5], call.ResponseStream.Current);
        }

        Assert.False(await call.ResponseStream.MoveNext(TestToken).InTime());
        Assert.All(memories, static memory => Assert.Equal(1, memory.Left));
    }

    private static AsyncServerStreamingCall<byte[]> Begin(SharedMemoryChannel channel) =>
        channel.CreateCallInvoker().AsyncServerStreamingCall(
            Responses.ServerStreaming, null, Responses.CallOptions, [1]);

    private static byte[] CreateContent()
    {
        var content = new byte[Size];
        new Random(5).NextBytes(content);
        return content;
    }

    private sealed class Memory(int pieces) : ILentMemory
    {
        private readonly MessageWriter _writer = new(null);
        private int _left;

        public int Left => Volatile.Read(ref _left);

        void ILentMemory.Leave() => Interlocked.Increment(ref _left);

        public Task LeftAsync() => TimeLimit.UntilAsync(() => Left == 1, () => $"Left {Left} times.");

        /// <summary>Writes the content as a message: its first byte is copied, and the rest is lent.</summary>
        public void Write(PipeWriter output) =>
            _writer.Write(this, static (memory, context) => memory.Write(context), (SentBody)output);

        public void Write(SerializationContext context)
        {
            context.SetPayloadLength(Size);
            context.GetBufferWriter().Write(Content.AsSpan(0, 1));
            if (!((IPayloadBorrower)context).TryBorrow(Pieces.Join(Content.Skip(1).Chunk((Size / pieces) + 1)), this))
            {
                // After other data that has not been flushed.
                context.GetBufferWriter().Write(Content.AsSpan(1));
                ((ILentMemory)this).Leave();
            }

            context.Complete();
        }
    }
}
