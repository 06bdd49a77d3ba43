namespace Samples.Stress.Journals;

/// <summary>The counters in a process's journal, over all its lives.</summary>
internal enum Counter
{
    /// <summary>Producer: events passed to the bus, including events that were sent again.</summary>
    Sent,

    /// <summary>Producer: events passed to the bus again, because they had not been acknowledged.</summary>
    SentAgain,

    /// <summary>Producer: sends that the bus answered with an error.</summary>
    Failed,

    /// <summary>Producer: sends without any answer of the bus.</summary>
    Hung,

    /// <summary>Producer: events that consumers have taken over lanes.</summary>
    OverLanes,

    /// <summary>Consumer: events that the bus delivered.</summary>
    Received,

    /// <summary>Consumer: events that had been processed before and were acknowledged again.</summary>
    Duplicates,

    /// <summary>Consumer: events that were refused because an event before them was missing.</summary>
    Refused,

    /// <summary>Consumer: events with a wrong checksum, or for another consumer.</summary>
    Corrupt,
}
