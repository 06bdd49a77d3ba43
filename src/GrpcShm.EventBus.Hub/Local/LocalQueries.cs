using System.Runtime.CompilerServices;
using GrpcShm.EventBus.Service;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Local;

/// <summary>Answers questions of the hub's own process about the hub and its machines.</summary>
internal sealed class LocalQueries(HubCore hub)
{
    public async IAsyncEnumerable<MachineDescription> ListMachinesAsync(
        string? machinePattern, string? group, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var request = new ListMachinesRequest
        {
            MachinePattern = machinePattern ?? "", Group = group ?? "", PageSize = MachineList.MaxPageSize,
        };
        do
        {
            cancellationToken.ThrowIfCancellationRequested();
            var verdict = MachineList.MakePage(hub, request, out var page);
            if (!verdict.IsOk)
            {
                throw verdict.ToBusException();
            }

            foreach (var machine in page.Machines)
            {
                yield return MachineDescription.From(machine);
            }

            request.PageToken = page.NextPageToken;

            // Each page looks at all machines: others get the thread in between.
            await Task.Yield();
        }
        while (request.PageToken.Length > 0);
    }

    public Task<HubHealth> GetHealthAsync(CancellationToken cancellationToken) =>
        cancellationToken.IsCancellationRequested
            ? Task.FromCanceled<HubHealth>(cancellationToken)
            : Task.FromResult(HubHealth.From(hub.DescribeHealth()));
}
