using GrpcShm.Transport.Tests.Platform.Makes;

namespace GrpcShm.Transport.Tests.Platform.Contracts.HesitantCompletion;

public sealed class HesitantCompletionThreadWatchTests() : ThreadWatchContract(new HesitantMake(new CompletionMake()));
