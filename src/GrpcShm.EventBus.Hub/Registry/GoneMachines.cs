namespace GrpcShm.EventBus.Registry;

/// <summary>The machines that have gone with their owner: how many, and the ids of the first few.</summary>
internal sealed class GoneMachines
{
    private const int MostNamed = 5;

    private readonly List<string> _named = [];
    private int _count;

    public void Add(string machineId)
    {
        _count++;
        if (_named.Count < MostNamed)
        {
            _named.Add(PeerText.Clean(machineId));
        }
    }

    /// <summary>Says for people to read which machines they were.</summary>
    public string Describe()
    {
        var named = string.Join(", ", _named.Select(static id => $"'{id}'"));
        return _count switch
        {
            0 => "none",
            > MostNamed => $"{named} and {_count - MostNamed} more",
            _ => named,
        };
    }
}
