using GrpcShm.EventBus.Routing;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Service;

/// <summary>Lists the registered machines, page by page, for callers of the hub and for its own process.</summary>
internal static class MachineList
{
    public const int MaxPageSize = 1000;

    // Machines may have many groups: a page must stay far below the size of a message that gRPC takes.
    private const int MaxPageBytes = 1024 * 1024;

    /// <summary>Makes one page.</summary>
    /// <param name="hub">The hub.</param>
    /// <param name="request">Which machines, and the end of the page before.</param>
    /// <param name="response">The page; empty if the request is refused.</param>
    public static Verdict MakePage(HubCore hub, ListMachinesRequest request, out ListMachinesResponse response)
    {
        response = new ListMachinesResponse();
        var verdict = hub.Limits.CheckText(request.MachinePattern, "pattern of machines");
        var pattern = request.MachinePattern.Length > 0 ? new NamePattern(request.MachinePattern) : null;
        if (verdict.IsOk && pattern is not null)
        {
            verdict = hub.Limits.Check(pattern);
        }

        if (!verdict.IsOk)
        {
            return verdict;
        }

        var pageSize = request.PageSize is 0 or > MaxPageSize ? MaxPageSize : (int)request.PageSize;
        var candidates = request.Group.Length > 0 ? hub.Machines.InGroup(request.Group) : hub.Machines.All;
        var page = candidates
            .Where(machine => pattern is null || pattern.Matches(machine.Id))
            .Where(machine => string.CompareOrdinal(machine.Id, request.PageToken) > 0)
            .OrderBy(machine => machine.Id, StringComparer.Ordinal)
            .Take(pageSize + 1)
            .ToArray();
        var bytes = 0;
        foreach (var machine in page.Take(pageSize).TakeWhile(_ => bytes < MaxPageBytes))
        {
            var described = machine.Describe();
            bytes += described.CalculateSize();
            response.Machines.Add(described);
        }

        var count = response.Machines.Count;
        response.NextPageToken = page.Length > count ? page[count - 1].Id : "";
        return Verdict.Ok;
    }
}
