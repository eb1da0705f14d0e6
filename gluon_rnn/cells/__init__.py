"""The recurrent networks: one file each, the hand-written version first, its twins under it."""
from .base import Network
from .bi_rnn import BiRNN
from .build import NetworkConfig, build_network
from .clockwork_rnn import ClockworkRNN
from .deep_rnn import DeepRNN
from .gru import GRU
from .lstm import LSTM
from .ops import OneHot
from .rnn import RNN

__all__ = ['GRU', 'LSTM', 'RNN', 'BiRNN', 'ClockworkRNN', 'DeepRNN', 'Network', 'NetworkConfig', 'OneHot', 'build_network']
