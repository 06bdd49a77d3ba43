using System.Text.Json.Serialization;

namespace GrpcShm.FaultInjection.Reporting;

/// <summary>The result of a run.</summary>
/// <param name="Kills">Processes that died.</param>
/// <param name="Hangs">Deaths that the other side noticed too late or not at all.</param>
/// <param name="WrongStatus">Calls that ended in another way than they should.</param>
/// <param name="LeakedFds">Descriptors that stayed behind.</param>
/// <param name="LeakedBytes">Bytes of memory and of files that stayed behind.</param>
/// <param name="LeakedThreads">Threads that stayed behind.</param>
/// <param name="MaxDetectMs">The longest that the other side took to notice everything.</param>
/// <param name="NotServed">Failed calls of other processes, and failed calls to a successor.</param>
/// <param name="Missed">Victims that did not come to their step.</param>
/// <param name="Steps">How many combinations of side, mode, kind of call and step were tried.</param>
/// <param name="Seed">The seed that reproduces the run.</param>
/// <param name="Seconds">How long it took.</param>
internal sealed record FaultReport(
    int Kills,
    int Hangs,
    int WrongStatus,
    int LeakedFds,
    long LeakedBytes,
    int LeakedThreads,
    double MaxDetectMs,
    int NotServed,
    int Missed,
    int Steps,
    int Seed,
    double Seconds)
{
    [JsonIgnore]
    public bool IsGood => Hangs == 0 && WrongStatus == 0 && LeakedFds == 0 && LeakedBytes == 0 && LeakedThreads == 0
        && NotServed == 0 && Missed == 0;
}
