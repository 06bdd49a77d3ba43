using System.Net.WebSockets;
using GrpcShm.Conformance.Tests.Harness;
using GrpcShm.TestHost;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR.Client;

namespace GrpcShm.Conformance.Tests.PlainHttp;

/// <summary>
/// Connections that stay open in both directions: WebSockets, and SignalR over each of its transports.
/// </summary>
public abstract partial class PlainConformance
{
    [Fact]
    public async Task WebSocket_MessagesOfEverySize_ComeBack()
    {
        using var socket = await ConnectSocketAsync(new Uri("ws://localhost/plain/socket"), TestToken);
        foreach (var size in (int[])[0, 1, 125, 126, 65_535, 65_536, 300_000, 2 * MiB])
        {
            var body = CreateBody(size, NewSeed());
            var sending = socket.SendAsync(body, WebSocketMessageType.Binary, endOfMessage: true, TestToken);
            var echo = new MemoryStream();
            var buffer = new byte[50_000];
            ValueWebSocketReceiveResult received;
            do
            {
                received = await socket.ReceiveAsync(buffer.AsMemory(), TestToken).AsTask().InTime();
                Assert.Equal(WebSocketMessageType.Binary, received.MessageType);
                echo.Write(buffer, 0, received.Count);
            }
            while (!received.EndOfMessage);

            await sending.InTime();
            Assert.Equal((size, Hash(body)), ((int)echo.Length, Hash(echo.ToArray())));
        }

        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "enough", TestToken).InTime();
        Assert.Equal(WebSocketCloseStatus.NormalClosure, socket.CloseStatus);
    }

    [Theory]
    [InlineData(HttpTransportType.WebSockets)]
    [InlineData(HttpTransportType.ServerSentEvents)]
    [InlineData(HttpTransportType.LongPolling)]
    public async Task SignalR_OverEachTransport_CarriesCallsOfEachKind(HttpTransportType transport)
    {
        await using var hub = new HubConnectionBuilder()
            .WithUrl(new Uri("http://localhost/plain/hub"), options =>
            {
                options.Transports = transport;
                options.HttpMessageHandlerFactory = _ => _handler;
                options.WebSocketFactory =
                    async (context, cancellationToken) => await ConnectSocketAsync(context.Uri, cancellationToken);
            })
            .Build();
        var calls = System.Threading.Channels.Channel.CreateUnbounded<int>();
        hub.On<int>("Called", number => Assert.True(calls.Writer.TryWrite(number)));
        await hub.StartAsync(TestToken).InTime();

        foreach (var size in (int[])[0, 1, 30_000, 500_000])
        {
            var body = CreateBody(size, NewSeed());
            Assert.Equal(Hash(body), Hash(await hub.InvokeAsync<byte[]>("Echo", body, TestToken).InTime()));
        }

        var produced = 0;
        await foreach (var body in hub.StreamAsync<byte[]>("Produce", 20, 20_000, TestToken))
        {
            Assert.Equal(Hash(CreateBody(20_000, (ulong)produced++)), Hash(body));
        }

        Assert.Equal(20, produced);
        Assert.Equal(20 * 20_000, await hub.InvokeAsync<long>("Collect", CreateBodiesAsync(), TestToken).InTime());

        await hub.InvokeAsync("CallBack", 5, TestToken).InTime();
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(i, await calls.Reader.ReadAsync(TestToken).AsTask().InTime());
        }

        await hub.StopAsync(TestToken).InTime();

        static async IAsyncEnumerable<byte[]> CreateBodiesAsync()
        {
            for (var i = 0; i < 20; i++)
            {
                yield return TestBody.Create(20_000, (ulong)i).ToByteArray();
                await Task.Yield();
            }
        }
    }

    private protected async Task<ClientWebSocket> ConnectSocketAsync(Uri address, CancellationToken cancellationToken)
    {
        var socket = new ClientWebSocket();
        try
        {
            socket.Options.HttpVersion = Version;
            socket.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
            using var invoker = new HttpMessageInvoker(Handler, disposeHandler: false);
            await socket.ConnectAsync(address, invoker, cancellationToken).InTime();
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
