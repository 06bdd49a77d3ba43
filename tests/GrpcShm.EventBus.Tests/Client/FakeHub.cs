using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using XStateNet.Events.V1;
using Contract = XStateNet.Events.V1.EventBus;

namespace GrpcShm.EventBus.Tests.Client;

/// <summary>
/// A hub of which the test says how it answers each message of a session. It has the limits of gRPC itself, and tells
/// clients no more than the first hubs did.
/// </summary>
internal sealed class FakeHub : IAsyncDisposable
{
    private readonly WebApplication _app;

    private FakeHub(WebApplication app) => _app = app;

    /// <summary>How many sessions it has opened.</summary>
    public int Sessions => _app.Services.GetRequiredService<Service>().Sessions;

    /// <param name="socket">Where it listens.</param>
    /// <param name="answer">
    /// Answers a message of a session, by the session's number from 1; none if the hub ends the session instead. It
    /// ends the session, too, behind an answer that says so, or by what the function throws.
    /// </param>
    /// <param name="most">The most bytes of a message that it reads; none for the limit of gRPC itself.</param>
    public static async Task<FakeHub> StartAsync(
        string socket, Func<int, SessionRequest, SessionResponse?> answer, int? most = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(
            kestrel => kestrel.ListenUnixSocket(socket, options => options.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc(grpc => grpc.MaxReceiveMessageSize = most ?? 4 * 1024 * 1024);
        builder.Services.AddSingleton(new Service(answer));
        var app = builder.Build();
        app.MapGrpcService<Service>();
        await app.StartAsync().InTime();
        return new FakeHub(app);
    }

    /// <summary>Answers that all commands of a message have been carried out.</summary>
    public static SessionResponse CarryOut(SessionRequest request) =>
        new() { CompletedThrough = request.Commands.Max(command => command.Number) };

    public ValueTask DisposeAsync() => new(_app.DisposeAsync().InTime());

    private sealed class Service(Func<int, SessionRequest, SessionResponse?> answer) : Contract.EventBusBase
    {
        private int _sessions;

        public int Sessions => Volatile.Read(ref _sessions);

        public override async Task Session(
            IAsyncStreamReader<SessionRequest> requestStream,
            IServerStreamWriter<SessionResponse> responseStream,
            ServerCallContext context)
        {
            var number = Interlocked.Increment(ref _sessions);
            await responseStream.WriteAsync(new SessionResponse
            {
                Opened = new SessionOpened
                {
                    SessionId = $"{number}", MaxIdLength = 256, MaxEventSize = 16 * 1024 * 1024,
                },
            });
            try
            {
                while (await requestStream.MoveNext(context.CancellationToken))
                {
                    if (answer(number, requestStream.Current) is not { } response)
                    {
                        return;
                    }

                    await responseStream.WriteAsync(response);
                    if (response.Closing is { } closing)
                    {
                        // As a hub does. Who ends the call at once may overtake its own words: a write of the client
                        // that fails by that end lets some versions of gRPC forget what the client has not read.
                        await UntilClientEndsAsync(requestStream);
                        throw new RpcException(new Status((StatusCode)closing.StatusCode, closing.Message));
                    }
                }
            }
            catch (RpcException exception) when (exception.StatusCode == StatusCode.ResourceExhausted)
            {
                // As the first hubs did.
                throw new RpcException(new Status(StatusCode.Unavailable, exception.Message));
            }
        }

        private static async Task UntilClientEndsAsync(IAsyncStreamReader<SessionRequest> requests)
        {
            Task<bool> next;
            do
            {
                next = requests.MoveNext(CancellationToken.None);
                await ((Task)next).InTime().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            while (next is { IsCompletedSuccessfully: true, Result: true });
        }
    }
}
