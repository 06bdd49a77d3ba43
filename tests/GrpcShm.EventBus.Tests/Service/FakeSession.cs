using System.Threading.Channels;
using Google.Protobuf;
using Grpc.Core;
using GrpcShm.EventBus.Service;
using GrpcShm.EventBus.Wire;
using Microsoft.AspNetCore.Http;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Service;

/// <summary>
/// A session of a hub without a connection: what its client sends, reads and does not read is the test's own. It is
/// encoded and parsed as on a connection.
/// </summary>
internal sealed class FakeSession
    : IAsyncStreamReader<HubSessionRequest>, IServerStreamWriter<HubSessionResponse>, IDisposable
{
    private readonly Channel<SessionRequest> _requests = Channel.CreateUnbounded<SessionRequest>();
    private readonly Channel<SessionResponse> _responses = Channel.CreateUnbounded<SessionResponse>();
    private readonly CancellationTokenSource _cancelled = new();
    private bool _isOpened;
    private ulong _lastNumber;

    /// <param name="hub">The hub.</param>
    /// <param name="sendsHintedWrites">What the transport says of itself.</param>
    public FakeSession(HubCore hub, bool sendsHintedWrites = false) =>
        Session = new EventSession(hub, new DefaultHttpContext(), this, sendsHintedWrites, _cancelled.Token);

    public EventSession Session { get; }

    public ChannelReader<SessionResponse> Responses => _responses.Reader;

    /// <summary>Runs on the thread of each write but the first, which says that the session stands.</summary>
    public Func<SessionResponse, Task> OnWrite { get; init; } = static _ => Task.CompletedTask;

    /// <summary>Whether a read that nothing comes for goes on when the call has been cancelled.</summary>
    public bool IsDeaf { get; init; }

    public HubSessionRequest Current { get; private set; } = HubSessionRequest.Of(new SessionRequest());

    public WriteOptions? WriteOptions { get; set; }

    /// <summary>Runs it until it ends.</summary>
    public Task RunAsync() => Task.Run(() => Session.RunAsync(this));

    public void Send(params SessionCommand[] commands)
    {
        foreach (var command in commands)
        {
            command.Number = ++_lastNumber;
        }

        _requests.Writer.TryWrite(new SessionRequest { Commands = { commands } });
    }

    /// <summary>Ends the client's side.</summary>
    public void Complete() => _requests.Writer.TryComplete();

    /// <summary>Cancels the call.</summary>
    public void Cancel() => _cancelled.Cancel();

    public void Dispose() => _cancelled.Dispose();

    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        if (!await _requests.Reader.WaitToReadAsync(IsDeaf ? CancellationToken.None : cancellationToken))
        {
            return false;
        }

        var request = await _requests.Reader.ReadAsync(CancellationToken.None);
        Current = HubSessionRequest.Parse(request.ToByteArray());
        return true;
    }

    public Task WriteAsync(HubSessionResponse message)
    {
        var response = SessionResponse.Parser.ParseFrom(message.Encode().Span);
        _responses.Writer.TryWrite(response);
        var isOpened = _isOpened;
        _isOpened = true;
        return isOpened ? OnWrite(response) : Task.CompletedTask;
    }
}
