using GrpcShm.EventBus.Wire;

// The namespace of the generated class, to which this adds.
namespace XStateNet.Events.V1;

// Both classes are public by their generated parts, which no list of the public API names.
#pragma warning disable RS0016

public static partial class EventBus
{
    public partial class EventBusClient
    {
        private static readonly Grpc.Core.Method<OutgoingRequest, IncomingResponse> SessionOfBytes =
            SessionMarshallers.Replace(__Method_Session);

        /// <summary>Begins a session by the method of the contract, with events as bytes.</summary>
        /// <remarks>
        /// A class that a program derives may have its own <see cref="Session(Grpc.Core.CallOptions)"/>. Then that one
        /// is called.
        /// </remarks>
        internal Grpc.Core.AsyncDuplexStreamingCall<OutgoingRequest, IncomingResponse> BeginSession() =>
            GetType() == typeof(EventBusClient)
                ? CallInvoker.AsyncDuplexStreamingCall(SessionOfBytes, host: null, options: default)
                : MessageStreams.Begin(this);
    }
}
