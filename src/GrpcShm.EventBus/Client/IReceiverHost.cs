namespace GrpcShm.EventBus.Client;

/// <summary>What a receiver needs of its client.</summary>
internal interface IReceiverHost
{
    PayloadCodecs Codecs { get; }

    int MaxPendingSends { get; }

    /// <summary>Which machines of the client wait for which.</summary>
    ClientWaits Waits { get; }

    /// <summary>A handler is about to run.</summary>
    HandlingScope Handling(BusEvent received);

    /// <summary>The handlers have run.</summary>
    void Handled(BusEvent received, HandlingScope scope, bool failed);

    /// <summary>A handler threw.</summary>
    void HandlerFailed(string name, BusEvent received, Exception exception);

    /// <summary>A receiver's queue dropped an event.</summary>
    void Dropped(string name, long dropped);
}
