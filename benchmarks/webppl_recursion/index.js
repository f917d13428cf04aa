// The recursion L0, S1, L1, S2 in plain JavaScript, for politeness.wppl.
// WebPPL turns its own code into continuation-passing style, which makes tight
// loops slow; a required package is left as it is. It gives WebPPL its best case.
'use strict';

var fs = require('fs');

var input = JSON.parse(fs.readFileSync(process.env.POLITENESS_DATA, 'utf8'));
var U = input.yes.length;
var S = input.yes[0].length;
var Q = input.nodes.length;

function logSumExp(values) {
  var top = Math.max.apply(null, values);
  var sum = 0;
  for (var i = 0; i < values.length; i++) sum += Math.exp(values[i] - top);
  return top + Math.log(sum);
}

// Log P_S1(u | s, phi) as rows [s][u].
function logSpeaker1(logL0, kindness, logPrior, alpha, phi) {
  var rows = [];
  for (var s = 0; s < S; s++) {
    var row = new Array(U);
    for (var u = 0; u < U; u++) {
      row[u] = alpha * (phi * logL0[u][s] + (1 - phi) * kindness[u]) + logPrior[u];
    }
    var norm = logSumExp(row);
    for (var v = 0; v < U; v++) row[v] -= norm;
    rows.push(row);
  }
  return rows;
}

function expectedState(logL) {
  var mean = 0;
  for (var s = 0; s < S; s++) mean += s * Math.exp(logL[s]);
  return mean;
}

// Log-likelihood of all choices and all literal judgments.
function logLikelihood(theta, alpha, cost, weights, phis) {
  var total = 0;
  var logL0 = [];
  var kindness = [];
  var logPrior = [];
  for (var u = 0; u < U; u++) {
    var sum = 0;
    for (var s = 0; s < S; s++) {
      var t = theta[u * S + s];
      var no = input.n[u][s] - input.yes[u][s];
      if (input.yes[u][s] > 0) total += input.yes[u][s] * Math.log(t);
      if (no > 0) total += no * Math.log(1 - t);
      sum += t;
    }
    var row = [];
    for (var r = 0; r < S; r++) row.push(Math.log(theta[u * S + r]) - Math.log(sum));
    logL0.push(row);
    kindness.push(expectedState(row));
    logPrior.push(input.negated[u] ? -cost : -1);
  }
  // Sum over phi of P_S1, in probabilities: its terms are within reach of doubles.
  var states = [];
  for (var a = 0; a < U; a++) states.push(new Array(S).fill(0));
  for (var q = 0; q < Q; q++) {
    var S1 = logSpeaker1(logL0, kindness, logPrior, alpha, input.nodes[q]);
    for (var b = 0; b < U; b++) {
      for (var c = 0; c < S; c++) states[b][c] += input.node_weights[q] * Math.exp(S1[c][b]);
    }
  }
  var logL1 = [];
  var evidence = [];
  for (var d = 0; d < U; d++) {
    var mass = 0;
    for (var e = 0; e < S; e++) mass += states[d][e];
    evidence.push(Math.log(mass));
    logL1.push(states[d].map(function(x) { return Math.log(x / mass); }));
  }
  for (var g = 0; g < input.counts.length; g++) {
    var own = logSpeaker1(logL0, kindness, logPrior, alpha, phis[g]);
    var w = weights[g];
    for (var f = 0; f < S; f++) {
      var score = new Array(U);
      for (var h = 0; h < U; h++) {
        var projected = 0;
        for (var k = 0; k < S; k++) projected += Math.exp(own[k][h]);
        score[h] = logPrior[h] + alpha * (w[0] * logL1[h][f] +
          w[1] * expectedState(logL1[h]) +
          w[2] * (Math.log(projected) - evidence[h]));
      }
      var norm = logSumExp(score);
      for (var m = 0; m < U; m++) {
        if (input.counts[g][f][m] > 0) total += input.counts[g][f][m] * (score[m] - norm);
      }
    }
  }
  return isNaN(total) ? -Infinity : total;
}

module.exports = {
  conditions: input.counts.length,
  cells: U * S,
  samples: input.samples,
  burn: input.burn,
  lag: input.lag,
  logLikelihood: logLikelihood,
  write: function(samples) {
    fs.writeFileSync(process.env.POLITENESS_DRAWS, JSON.stringify(samples));
  }
};
