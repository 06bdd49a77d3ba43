using Grpc.Core;
using XStateNet.Events.V1;
using Contract = XStateNet.Events.V1.EventBus;

namespace GrpcShm.EventBus.Wire;

/// <summary>
/// Writes the requests of a session as messages of the contract, for a generated client that was derived from.
/// </summary>
/// <param name="messages">The stream of the call.</param>
internal sealed class ParsedRequests(IClientStreamWriter<SessionRequest> messages)
    : IClientStreamWriter<OutgoingRequest>
{
    public WriteOptions? WriteOptions
    {
        get => messages.WriteOptions;
        set => messages.WriteOptions = value;
    }

    /// <summary>Begins a session.</summary>
    public static AsyncDuplexStreamingCall<OutgoingRequest, SessionResponse> Begin(Contract.EventBusClient contract)
    {
        var call = contract.Session();
        return new AsyncDuplexStreamingCall<OutgoingRequest, SessionResponse>(
            new ParsedRequests(call.RequestStream),
            call.ResponseStream,
            call.ResponseHeadersAsync,
            call.GetStatus,
            call.GetTrailers,
            call.Dispose);
    }

    public Task WriteAsync(OutgoingRequest message) =>
        messages.WriteAsync(SessionRequest.Parser.ParseFrom(message.Encode().Span));

    public Task CompleteAsync() => messages.CompleteAsync();
}
