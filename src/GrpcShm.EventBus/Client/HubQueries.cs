using System.Runtime.CompilerServices;
using Grpc.Core;
using XStateNet.Events.V1;
using Contract = XStateNet.Events.V1.EventBus;

namespace GrpcShm.EventBus.Client;

/// <summary>Asks the hub about itself and its machines, by separate calls. They need no session.</summary>
internal sealed class HubQueries(Contract.EventBusClient contract, TimeSpan timeout, ClientEnd end)
{
    // The largest page that the hub gives.
    private const int PageSize = 1000;

    public async IAsyncEnumerable<MachineDescription> ListMachinesAsync(
        string? machinePattern, string? group, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var request = new ListMachinesRequest
        {
            MachinePattern = machinePattern ?? "", Group = group ?? "", PageSize = PageSize,
        };
        do
        {
            var page = await AskAsync(options => contract.ListMachinesAsync(request, options), cancellationToken)
                .ConfigureAwait(false);
            foreach (var machine in page.Machines)
            {
                yield return MachineDescription.From(machine);
            }

            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
    }

    public async Task<HubHealth> GetHealthAsync(CancellationToken cancellationToken)
    {
        var request = new GetHealthRequest();
        return HubHealth.From(
            await AskAsync(options => contract.GetHealthAsync(request, options), cancellationToken)
                .ConfigureAwait(false));
    }

    private async Task<T> AskAsync<T>(Func<CallOptions, AsyncUnaryCall<T>> ask, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(end.IsDisposed, typeof(EventClient));
        try
        {
            var deadline = DateTime.UtcNow + timeout;
            using var call = ask(new CallOptions(deadline: deadline, cancellationToken: cancellationToken));
            return await call.ResponseAsync.ConfigureAwait(false);
        }
        catch (RpcException exception)
            when (exception.StatusCode == StatusCode.Cancelled && cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(exception.Message, exception, cancellationToken);
        }
        catch (RpcException exception)
        {
            throw HubFailure.From(exception);
        }
    }
}
