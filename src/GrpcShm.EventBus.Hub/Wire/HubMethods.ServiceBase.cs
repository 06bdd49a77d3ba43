using Grpc.Core;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Wire;

// What a hub has to carry out.
internal static partial class HubMethods
{
    /// <summary>
    /// The contract's service as the hub carries it out: as the generated base class, but for the messages that hold
    /// events to be forwarded.
    /// </summary>
    /// <remarks>
    /// It is nested, as a generated base class is: gRPC's reflection looks for the description of the service in the
    /// class around it.
    /// </remarks>
    [BindServiceMethod(typeof(HubMethods), nameof(Bind))]
    internal abstract class ServiceBase
    {
        public abstract Task Session(
            IAsyncStreamReader<HubSessionRequest> requestStream,
            IServerStreamWriter<HubSessionResponse> responseStream,
            ServerCallContext context);

        public abstract Task<SendResponse> Send(SendRequest request, ServerCallContext context);

        public abstract Task<SendManyResponse> SendMany(
            IAsyncStreamReader<SendManyRequest> requestStream, ServerCallContext context);

        public abstract Task<AskResponse> Ask(AskRequest request, ServerCallContext context);

        public abstract Task<PublishResponse> Publish(PublishRequest request, ServerCallContext context);

        public abstract Task Subscribe(
                SubscribeRequest request,
            IServerStreamWriter<HubSubscribeResponse> responseStream,
            ServerCallContext context);

        public abstract Task<AcknowledgeResponse> Acknowledge(AcknowledgeRequest request, ServerCallContext context);

        public abstract Task<RegisterMachinesResponse> RegisterMachines(
            RegisterMachinesRequest request, ServerCallContext context);

        public abstract Task<UnregisterMachinesResponse> UnregisterMachines(
            UnregisterMachinesRequest request, ServerCallContext context);

        public abstract Task<ListMachinesResponse> ListMachines(ListMachinesRequest request, ServerCallContext context);

        public abstract Task<GetHealthResponse> GetHealth(GetHealthRequest request, ServerCallContext context);
    }
}
