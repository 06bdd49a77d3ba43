using Grpc.Core;
using XStateNet.Events.V1;
using Contract = XStateNet.Events.V1.EventBus;

namespace GrpcShm.EventBus.Wire;

/// <summary>
/// The streams of a session with messages of the contract, for a generated client that was derived from.
/// </summary>
/// <param name="call">The call.</param>
internal sealed class MessageStreams(AsyncDuplexStreamingCall<SessionRequest, SessionResponse> call)
    : IClientStreamWriter<OutgoingRequest>, IAsyncStreamReader<IncomingResponse>
{
    private IncomingResponse? _current;

    public WriteOptions? WriteOptions
    {
        get => call.RequestStream.WriteOptions;
        set => call.RequestStream.WriteOptions = value;
    }

    public IncomingResponse Current => _current ?? throw new InvalidOperationException("There is no response yet.");

    /// <summary>Begins a session.</summary>
    public static AsyncDuplexStreamingCall<OutgoingRequest, IncomingResponse> Begin(Contract.EventBusClient contract)
    {
        var call = contract.Session();
        var streams = new MessageStreams(call);
        return new AsyncDuplexStreamingCall<OutgoingRequest, IncomingResponse>(
            streams, streams, call.ResponseHeadersAsync, call.GetStatus, call.GetTrailers, call.Dispose);
    }

    public Task WriteAsync(OutgoingRequest message) =>
        call.RequestStream.WriteAsync(SessionRequest.Parser.ParseFrom(message.Encode().Span));

    public Task CompleteAsync() => call.RequestStream.CompleteAsync();

    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        if (!await call.ResponseStream.MoveNext(cancellationToken).ConfigureAwait(false))
        {
            return false;
        }

        _current = IncomingResponse.Of(call.ResponseStream.Current);
        return true;
    }
}
